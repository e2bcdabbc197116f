//! Reads the script's reply, a flat array of integers in MessagePack.

use rmp::decode::{read_array_len, read_int};

use crate::clock::Millis;
use crate::decision::{Retry, Standing};
use crate::store::Acquired;

/// What is left to read of a reply.
pub(super) struct Reply<'a> {
    rest: &'a [u8],
    /// Integers in it.
    left: u32,
}

impl<'a> Reply<'a> {
    /// `None` where `reply` is no array.
    pub(super) fn new(mut reply: &'a [u8]) -> Option<Self> {
        let left = read_array_len(&mut reply).ok()?;
        Some(Self { rest: reply, left })
    }

    /// When all was decided, by the server's clock.
    pub(super) fn decided_at(&mut self) -> Option<Millis> {
        Millis::try_from(self.next()?).ok()
    }

    /// The next request's answer under `policies` policies; `None` where the reply holds none.
    pub(super) fn acquired(&mut self, policies: usize) -> Option<Acquired> {
        let admitted = u32::try_from(self.next()?).ok()?;
        let standings = (0..policies).map(|_| self.standing()).collect::<Option<_>>()?;
        Some(Acquired { admitted, standings })
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Option<()> {
        (self.left == 0 && self.rest.is_empty()).then_some(())
    }

    fn standing(&mut self) -> Option<Standing> {
        let remaining = u64::try_from(self.next()?).ok()?;
        let reset_after = Millis::try_from(self.next()?).ok()?;
        let retry = match self.next()? {
            -1 => Retry::Never,
            0 => Retry::Now,
            wait => Retry::After(Millis::try_from(wait).ok()?),
        };
        Some(Standing { remaining, reset_after, retry })
    }

    fn next(&mut self) -> Option<i64> {
        self.left = self.left.checked_sub(1)?;
        read_int(&mut self.rest).ok()
    }
}

/// The reply of these numbers.
#[cfg(test)]
pub(super) fn packed(numbers: &[i64]) -> Vec<u8> {
    use rmp::encode::{write_array_len, write_sint};

    let mut reply = Vec::new();
    let length = numbers.len().try_into().expect("a short array");
    write_array_len(&mut reply, length).expect("memory takes it");
    for number in numbers {
        write_sint(&mut reply, *number).expect("memory takes it");
    }
    reply
}
