//! Where the answer to one request is among those to coalesced ones.

use std::iter;

use smallvec::SmallVec;

use crate::domain::standing::Standing;
use crate::store::redis::script::reply::CoalescedAnswer;
use crate::store::{Acquire, Acquired, Ban, Charge, TrialAnswer};

/// The position of one request among the coalesced ones.
#[derive(Debug)]
pub(super) struct Position {
    pub(super) group: usize,
    pub(super) coalesced: usize,
    /// How many of the coalesced requests come before this one.
    pub(super) before: u32,
}

impl Position {
    /// This request's part of the answer to the coalesced ones.
    pub(super) fn share(&self, answer: &CoalescedAnswer, asked: &Acquire) -> Acquired {
        let CoalescedAnswer { acquired, bucket_debts } = answer;
        let admitted = acquired.admitted.saturating_sub(self.before).min(asked.count);
        // As seen from this request, those admitted after it have not used their units yet. A peek
        // comes last.
        let later = acquired.admitted.saturating_sub(self.before.saturating_add(admitted));
        let later = u64::from(if asked.count == 0 { 0 } else { later });
        let debts = bucket_debts.iter().copied().chain(iter::repeat(0));
        let standing = |((it, debt), charge): ((&Standing, u64), &Charge)| {
            let unused = later * charge.cost.units();
            it.before(unused, debt, &charge.policy.terms(), charge.cost)
        };
        let standings = acquired.standings.iter().zip(debts).zip(&asked.charges).map(standing);
        // Of a trial as well, the first of the coalesced requests are those that it admits.
        let trial = |answer: &TrialAnswer| TrialAnswer {
            admitted: answer.admitted.saturating_sub(self.before).min(asked.count),
            ..*answer
        };
        let trials = acquired.trials.iter().map(trial).collect();
        let ban = acquired.ban.and_then(|ban| self.ban(ban, asked.count));
        Acquired {
            admitted,
            standings: standings.collect(),
            trials,
            ban,
            decided_at: SmallVec::new(),
            slots: Vec::new(),
        }
    }
}

impl Position {
    /// The ban of this request's client, by the `ban` of the coalesced ones: they are refused from the one on that began
    /// it. A peek comes last.
    fn ban(&self, ban: Ban, count: u32) -> Option<Ban> {
        let decided = ban.decided.saturating_sub(self.before).min(count);
        let begun_before = ban.decided.saturating_sub(1);
        let is_banned = count == 0 || self.before.saturating_add(count) > begun_before;
        is_banned.then_some(Ban { decided, ..ban })
    }
}
