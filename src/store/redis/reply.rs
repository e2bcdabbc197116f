//! Reads the script's reply, a flat array of integers.

use crate::clock::Millis;
use crate::decision::{Retry, Standing};
use crate::store::Acquired;

/// What is left to read of a reply.
pub(super) struct Reply<'a> {
    rest: std::slice::Iter<'a, i64>,
}

impl<'a> Reply<'a> {
    pub(super) fn new(reply: &'a [i64]) -> Self {
        Self { rest: reply.iter() }
    }

    /// When all was decided, by the server's clock.
    pub(super) fn decided_at(&mut self) -> Option<Millis> {
        Millis::try_from(*self.rest.next()?).ok()
    }

    /// The next request's answer under `policies` policies; `None` where the reply holds none.
    pub(super) fn acquired(&mut self, policies: usize) -> Option<Acquired> {
        let admitted = u32::try_from(*self.rest.next()?).ok()?;
        let standings = (0..policies).map(|_| self.standing()).collect::<Option<_>>()?;
        Some(Acquired { admitted, standings })
    }

    /// That nothing is left.
    pub(super) fn end(mut self) -> Option<()> {
        self.rest.next().is_none().then_some(())
    }

    fn standing(&mut self) -> Option<Standing> {
        let remaining = u64::try_from(*self.rest.next()?).ok()?;
        let reset_after = Millis::try_from(*self.rest.next()?).ok()?;
        let retry = match *self.rest.next()? {
            -1 => Retry::Never,
            0 => Retry::Now,
            wait => Retry::After(Millis::try_from(wait).ok()?),
        };
        Some(Standing { remaining, reset_after, retry })
    }
}
