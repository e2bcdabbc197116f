//! Reads the script's reply, a flat array of integers in MessagePack.

use rmp::decode::{read_array_len, read_int};

use crate::domain::clock::Millis;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquired, Few};

/// What identical requests are answered together.
#[derive(Clone, Debug)]
pub(crate) struct Together {
    pub(crate) acquired: Acquired,
    /// Of each policy in turn, where there are several requests: parts of a unit that a token bucket has
    /// not refilled, 0 under another algorithm.
    pub(crate) debts: Few<u64>,
}

/// What is left to read of a reply.
pub(crate) struct Reply<'a> {
    rest: &'a [u8],
    /// Integers in it.
    left: u32,
}

impl<'a> Reply<'a> {
    /// `None` where `reply` is no array.
    pub(crate) fn new(mut reply: &'a [u8]) -> Option<Self> {
        let left = read_array_len(&mut reply).ok()?;
        Some(Self { rest: reply, left })
    }

    /// When all was decided, by the server's clock.
    pub(crate) fn decided_at(&mut self) -> Option<Millis> {
        Millis::try_from(self.next()?).ok()
    }

    /// The answer to the next request under `policies` policies, which stands for `count` identical
    /// ones; `None` where the reply holds none.
    pub(crate) fn answer(&mut self, policies: usize, count: u32) -> Option<Together> {
        let admitted = u32::try_from(self.next()?).ok()?;
        let mut standings = Vec::with_capacity(policies);
        let mut debts = Few::new();
        for _ in 0..policies {
            standings.push(self.standing()?);
            if count > 1 {
                debts.push(u64::try_from(self.next()?).ok()?);
            }
        }
        Some(Together { acquired: Acquired { admitted, standings }, debts })
    }

    /// That nothing is left.
    pub(crate) fn end(self) -> Option<()> {
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
pub(crate) fn packed(numbers: &[i64]) -> Vec<u8> {
    use rmp::encode::{write_array_len, write_sint};

    let mut reply = Vec::new();
    let length = numbers.len().try_into().expect("a short array");
    write_array_len(&mut reply, length).expect("memory takes it");
    for number in numbers {
        write_sint(&mut reply, *number).expect("memory takes it");
    }
    reply
}
