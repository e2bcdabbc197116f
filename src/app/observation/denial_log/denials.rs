//! What is counted of denials between two summaries.

use std::collections::HashMap;

use crate::app::observation::sketch::{Estimate, Sketch};
use crate::domain::clock::Millis;
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// The time between two summaries, in milliseconds, for which a client is also remembered.
pub(super) const PERIOD: Millis = 60_000;

/// How many parts share the clients. Each has a lock of its own, so that threads seldom wait for each other.
pub(super) const SHARDS: usize = 8;

/// The most clients that are remembered, of all policies together. More clients are no first ones.
pub(super) const KNOWN: usize = 10_000;

/// The most policies that are counted.
const MOST_POLICIES: usize = 256;

/// How many clients of a policy have a counter.
const COUNTERS: usize = 256;

/// How many clients a summary names.
const NAMED: usize = 3;

/// Some of the clients, of all policies.
#[derive(Debug, Default)]
pub(super) struct Shard {
    policies: HashMap<Box<str>, Counts>,
    /// The keys that were denied lately.
    known: HashMap<Fingerprint, Known, BuildFingerprintHasher>,
    /// The number of the present period.
    period: u64,
}

/// A key that was denied lately.
#[derive(Debug)]
struct Known {
    denied_at: Millis,
    /// The number of the period in which that was.
    period: u64,
}

/// The denials by one policy in a period.
#[derive(Debug)]
struct Counts {
    denials: Denials,
    keys: Sketch,
}

/// The denials by one policy in a period, summed up.
#[derive(Debug, Default)]
pub(super) struct Denials {
    pub(super) requests: u64,
    /// How many of them had a line of their own.
    pub(super) told: u64,
    pub(super) clients: u64,
    /// Whether there may have been more clients.
    pub(super) is_partial: bool,
    /// The clients that were denied most often, the most frequent one first.
    pub(super) top: Vec<Estimate>,
}

impl Shard {
    /// Counts a denial. Returns whether it is the first one of its client for a while, and `may_tell` says that it
    /// may have a line of its own.
    pub(super) fn count(
        &mut self,
        charge: &Charge,
        now: Millis,
        may_tell: impl FnOnce() -> bool,
    ) -> bool {
        let policy = charge.policy.name();
        if !self.policies.contains_key(policy) {
            if self.policies.len() >= MOST_POLICIES {
                return false;
            }
            self.policies.insert(policy.into(), Counts::new());
        }
        let Some(Counts { denials, keys }) = self.policies.get_mut(policy) else { return false };
        keys.count(&charge.key, now);
        denials.requests += 1;
        let has_room = self.known.len() < KNOWN / SHARDS;
        let is_new = match self.known.get_mut(&charge.key.fingerprint()) {
            Some(known) => {
                denials.clients += u64::from(known.period != self.period);
                *known = Known { denied_at: now, period: self.period };
                false
            }
            None if has_room => {
                denials.clients += 1;
                let known = Known { denied_at: now, period: self.period };
                self.known.insert(charge.key.fingerprint(), known);
                true
            }
            None => {
                denials.is_partial = true;
                false
            }
        };
        let is_told = is_new && may_tell();
        denials.told += u64::from(is_told);
        is_told
    }

    /// Ends the period at `now`, and returns its denials by policy.
    pub(super) fn end_period(&mut self, now: Millis) -> impl Iterator<Item = (Box<str>, Denials)> {
        self.period += 1;
        self.known.retain(|_, known| now.saturating_sub(known.denied_at) < PERIOD);
        std::mem::take(&mut self.policies).into_iter().map(|(policy, counts)| {
            let top = counts.keys.estimates().collect();
            (policy, Denials { top, ..counts.denials }.with_few_named())
        })
    }
}

#[cfg(test)]
impl Shard {
    /// How many keys are remembered.
    pub(super) fn known(&self) -> usize {
        self.known.len()
    }
}

impl Counts {
    fn new() -> Self {
        Self { denials: Denials::default(), keys: Sketch::new(COUNTERS / SHARDS) }
    }
}

impl Denials {
    /// Adds the denials of other clients.
    pub(super) fn add(&mut self, others: Self) {
        self.requests += others.requests;
        self.told += others.told;
        self.clients += others.clients;
        self.is_partial |= others.is_partial;
        self.top.extend(others.top);
        *self = std::mem::take(self).with_few_named();
    }

    fn with_few_named(mut self) -> Self {
        self.top.sort_by(|one, other| {
            let keys = || one.key.as_str().cmp(other.key.as_str());
            other.count.cmp(&one.count).then_with(keys)
        });
        self.top.truncate(NAMED);
        self
    }
}
