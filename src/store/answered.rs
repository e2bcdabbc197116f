use smallvec::{SmallVec, smallvec};

use crate::domain::clock::Millis;
use crate::domain::slot::SlotId;
use crate::domain::standing::{Retry, Standing};

/// What [`Store::acquire`](super::Store::acquire) answers. Answers are equal whatever the names of slots are: no two stores
/// give the same.
#[derive(Clone, Debug, Eq)]
#[non_exhaustive]
pub struct Acquired {
    /// How many of the requests are admitted.
    pub admitted: u32,
    /// Where each charge stands afterwards, for one more request like those.
    pub standings: Vec<Standing>,
    /// When that was decided: once for all charges, or once for each; empty if the store does not say.
    pub(crate) decided_at: SmallVec<[Millis; 1]>,
    /// The answer to each trial, in the same order; none if trials were not decided.
    pub trials: Vec<TrialAnswer>,
    /// The ban of the client, if it is banned.
    pub ban: Option<Ban>,
    /// The slots that were taken by charges and trials that count requests under way: for all of them the name of the
    /// first, or for each charge and then for each charge of the trials; empty if there are none. Those of the other requests follow.
    pub(crate) slots: Vec<SlotId>,
}

impl PartialEq for Acquired {
    fn eq(&self, other: &Self) -> bool {
        let Self { admitted, standings, decided_at, trials, ban, slots: _ } = self;
        *admitted == other.admitted
            && *standings == other.standings
            && *decided_at == other.decided_at
            && *trials == other.trials
            && *ban == other.ban
    }
}

impl Acquired {
    /// An answer that admits `admitted` requests, after which the charges stand at `standings`.
    #[must_use]
    pub fn new(admitted: u32, standings: Vec<Standing>) -> Self {
        Self {
            admitted,
            standings,
            decided_at: SmallVec::new(),
            trials: Vec::new(),
            ban: None,
            slots: Vec::new(),
        }
    }

    /// The same, decided at `now` by the store's clock. Only such charges can be given back.
    #[must_use]
    pub fn decided_at(self, now: Millis) -> Self {
        Self { decided_at: smallvec![now], ..self }
    }

    /// The same, where the charges that count requests under way took slots whose names begin with `first`.
    #[must_use]
    pub fn with_slots(self, first: SlotId) -> Self {
        Self { slots: vec![first], ..self }
    }

    /// The first slot that was taken by the charge of this index, or by a trial, which come after the charges; `None` if it
    /// takes none. Those of the other requests that were admitted follow it.
    #[must_use]
    pub fn slot(&self, charge: usize) -> Option<SlotId> {
        self.slots.get(charge).or(self.slots.first()).copied()
    }

    /// When the charge at the index `charge` was made, by the store's clock; `None` if the store does not say.
    pub(crate) fn charged_at(&self, charge: usize) -> Option<Millis> {
        self.decided_at.get(charge).or(self.decided_at.first()).copied()
    }

    /// The same, with the answer to the next trial.
    #[must_use]
    pub fn with_trial(mut self, answer: TrialAnswer) -> Self {
        self.trials.push(answer);
        self
    }

    /// The same, about a client that is banned.
    #[must_use]
    pub fn with_ban(self, ban: Ban) -> Self {
        Self { ban: Some(ban), ..self }
    }

    /// How many of `count` requests the policies decided. The others were refused because of a ban.
    pub(crate) fn decided(&self, count: u32) -> u32 {
        self.ban.map_or(count, |ban| ban.decided.min(count))
    }

    /// Whether all of `count` requests are admitted. A `count` of 0 asks whether one would be.
    pub(crate) fn is_allowed(&self, count: u32) -> bool {
        match count {
            0 => {
                self.ban.is_none()
                    && self.standings.iter().all(|standing| standing.retry == Retry::Now)
            }
            count => self.admitted == count,
        }
    }
}

/// What a store answers if a client is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ban {
    /// The index of the penalty, of those that were asked: the one whose ban lasts longest.
    pub penalty: usize,
    /// For how many more milliseconds.
    pub lasts: Millis,
    /// How many of the requests the policies decided before, of which the last one began the ban; 0 if the client was
    /// banned already. The request that begins a ban is refused because of it, as are all after it.
    pub decided: u32,
}

impl Ban {
    /// A ban by the penalty at this index that lasts so long, and began with the last of the `decided` requests.
    #[must_use]
    pub fn new(penalty: usize, lasts: Millis, decided: u32) -> Self {
        Self { penalty, lasts, decided }
    }
}

/// What a store answers about a [`Trial`](super::Trial).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrialAnswer {
    /// How many of the requests it admits.
    pub admitted: u32,
    /// When one more request like those fits under it.
    pub retry: Retry,
    /// When that was decided, if not when the charges were.
    pub(crate) decided_at: Option<Millis>,
}

impl TrialAnswer {
    /// An answer that admits `admitted` requests, after which one more fits at `retry`.
    #[must_use]
    pub fn new(admitted: u32, retry: Retry) -> Self {
        Self { admitted, retry, decided_at: None }
    }
}

/// What came of a [`Refund`](super::Refund).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// So many units were given back: as many as the key still counted.
    Given(u64),
    /// The charge was given back before.
    Before,
}

impl Refunded {
    /// The units that were given back now.
    pub(crate) fn units(self) -> u64 {
        match self {
            Self::Given(units) => units,
            Self::Before => 0,
        }
    }
}

/// A list that needs no allocation for as many items as most requests have policies.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;
