//! Reads the script's reply: a flat array of integers in MessagePack, as `lua/acquire.lua` writes it.

use rmp::decode::{read_array_len, read_int};

use crate::domain::clock::Millis;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Acquire, Acquired, Ban, Few, TrialAnswer};

/// The one answer to a coalesced request, which stands for several identical ones.
#[derive(Clone, Debug)]
pub(super) struct CoalescedAnswer {
    pub(super) acquired: Acquired,
    /// For each policy the parts of a unit that a token bucket has not refilled yet, and 0 under another
    /// algorithm. It is empty where the request stands for one alone.
    pub(super) bucket_debts: Few<u64>,
}

/// The rest of a reply that is being read.
pub(super) struct Reply<'a> {
    rest: &'a [u8],
    /// How many integers are left.
    left: u32,
}

impl<'a> Reply<'a> {
    /// Begins to read `reply`; `None` if it is not an array.
    pub(super) fn new(mut reply: &'a [u8]) -> Option<Self> {
        let left = read_array_len(&mut reply).ok()?;
        Some(Self { rest: reply, left })
    }

    /// Reads when all was decided, by the server's clock.
    pub(super) fn decided_at(&mut self) -> Option<Millis> {
        Millis::try_from(self.next()?).ok()
    }

    /// Reads the answer to the next request, which is like `asked` and stands for `count` identical requests; `None`
    /// if the reply does not hold one.
    pub(super) fn answer(&mut self, asked: &Acquire, count: u32) -> Option<CoalescedAnswer> {
        let policies = asked.charges.len();
        let admitted = u32::try_from(self.next()?).ok()?;
        let mut standings = Vec::with_capacity(policies);
        let mut bucket_debts = Few::new();
        for _ in 0..policies {
            standings.push(self.standing()?);
            if count > 1 {
                bucket_debts.push(u64::try_from(self.next()?).ok()?);
            }
        }
        let mut acquired = Acquired::new(admitted, standings);
        if !asked.penalties.is_empty() {
            acquired.ban = self.ban()?;
        }
        for _ in &asked.trials {
            let admitted = u32::try_from(self.next()?).ok()?;
            acquired.trials.push(TrialAnswer::new(admitted, self.retry()?));
        }
        Some(CoalescedAnswer { acquired, bucket_debts })
    }

    /// `None` if anything is left.
    pub(super) fn end(self) -> Option<()> {
        (self.left == 0 && self.rest.is_empty()).then_some(())
    }

    fn standing(&mut self) -> Option<Standing> {
        let remaining = u64::try_from(self.next()?).ok()?;
        let reset_after = Millis::try_from(self.next()?).ok()?;
        Some(Standing { remaining, reset_after, retry: self.retry()? })
    }

    /// Reads the ban; within, `None` if the client is not banned.
    fn ban(&mut self) -> Option<Option<Ban>> {
        let lasts = Millis::try_from(self.next()?).ok()?;
        let banned_by = usize::try_from(self.next()?).ok()?;
        let decided = u32::try_from(self.next()?).ok()?;
        match banned_by.checked_sub(1) {
            Some(penalty) if lasts > 0 => Some(Some(Ban { penalty, lasts, decided })),
            None if lasts == 0 => Some(None),
            _ => None,
        }
    }

    fn retry(&mut self) -> Option<Retry> {
        Some(match self.next()? {
            -1 => Retry::Never,
            -2 => Retry::WhenFreed,
            0 => Retry::Now,
            wait => Retry::After(Millis::try_from(wait).ok()?),
        })
    }

    fn next(&mut self) -> Option<i64> {
        self.left = self.left.checked_sub(1)?;
        read_int(&mut self.rest).ok()
    }
}

/// A reply of `numbers`.
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
