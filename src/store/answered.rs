use smallvec::{SmallVec, smallvec};

use crate::domain::clock::Millis;
use crate::domain::standing::{Retry, Standing};

/// What [`Store::acquire`](super::Store::acquire) answers.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}

impl Acquired {
    /// An answer that admits `admitted` requests, after which the charges stand at `standings`.
    #[must_use]
    pub fn new(admitted: u32, standings: Vec<Standing>) -> Self {
        let decided_at = SmallVec::new();
        Self { admitted, standings, decided_at, trials: Vec::new(), ban: None }
    }

    /// The same, decided at `now` by the store's clock. Only such charges can be given back.
    #[must_use]
    pub fn decided_at(self, now: Millis) -> Self {
        Self { decided_at: smallvec![now], ..self }
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
}

impl TrialAnswer {
    /// An answer that admits `admitted` requests, after which one more fits at `retry`.
    #[must_use]
    pub fn new(admitted: u32, retry: Retry) -> Self {
        Self { admitted, retry }
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

/// A list that needs no allocation for as many items as most requests have policies.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;
