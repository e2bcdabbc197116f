//! Who is busy and who is refused: the most frequent keys of each policy, over the last minutes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use self::recent::COUNTERS;
use self::recent::{RecentCounts, SHARDS};
use super::refusals::refusals;
use super::sketch::{Estimate, Sketch};
use crate::domain::clock::{Clock, Millis};
use crate::limiter::DecisionEvent;
use crate::store::Charge;

mod recent;

/// The most policies whose keys are counted.
const MOST_POLICIES: usize = 256;

/// How long counts are added up before they begin anew, in milliseconds. What is shown are the counts so far and
/// those before, so it covers the last five to ten minutes.
pub(crate) const GENERATION: Millis = 300_000;

/// Counts the requests and the refusals of each key, as far as it is one of the most frequent ones.
#[derive(Debug)]
pub(crate) struct Who {
    shards: [Mutex<Shard>; SHARDS],
    clock: Arc<dyn Clock>,
}

/// Some of the keys, of all policies.
#[derive(Debug, Default)]
struct Shard {
    /// In the order of their names.
    policies: Vec<(Box<str>, PolicyCounts)>,
    /// The number of the present generation.
    generation: u64,
}

/// The counts of the keys of one policy.
#[derive(Debug, Default)]
struct PolicyCounts {
    requests: RecentCounts,
    refusals: RecentCounts,
}

/// By which count keys are ranked.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Deserialize,
    serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rank {
    /// By refusals.
    #[default]
    Refused,
    /// By requests, admitted or not.
    Busiest,
}

impl Rank {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Busiest => "busiest",
        }
    }
}

/// One of the most frequent keys of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TopKey {
    pub(crate) policy: Box<str>,
    /// The identity that the key counts, as it stands in Redis.
    pub(crate) key: Box<str>,
    /// How many requests, or refusals, it had at most.
    pub(crate) count: u64,
    /// How much lower the true count may be.
    pub(crate) error: u64,
    /// How many refusals it had at most.
    pub(crate) refused: u64,
    /// How many milliseconds ago it was first refused, without a pause of a whole generation since then; `None`
    /// if it is not among the most refused.
    pub(crate) refused_for: Option<Millis>,
}

/// The busiest key of a policy, and how busy the policy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BusiestKey {
    /// The identity that the key counts, as it stands in Redis.
    pub(super) key: Box<str>,
    /// How many requests it had at least.
    least: u64,
    /// How many requests all keys of the policy had together.
    pub(super) all: u64,
}

impl BusiestKey {
    /// The identity that the key counts, as it stands in Redis.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// The part that the key has of its policy's requests at least, from 0 to 1.
    #[allow(clippy::cast_precision_loss, reason = "a part needs few digits")]
    pub(crate) fn part(&self) -> f64 {
        self.least as f64 / self.all.max(1) as f64
    }
}

impl Who {
    /// Begins to count, by a clock that does not step back.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { shards: Default::default(), clock }
    }

    /// Counts a request.
    pub(crate) fn on_decision(&self, event: &DecisionEvent<'_>) {
        if event.charges.is_empty() {
            return;
        }
        let now = self.clock.now();
        if !event.is_peek {
            event.policies().for_each(|met| self.count(met.charge, now, |it| &mut it.requests));
        }
        refusals(event).for_each(|(charge, _)| self.count(charge, now, |it| &mut it.refusals));
    }

    /// The `most` keys with the highest counts, of `policy` or of all policies.
    pub(crate) fn top(&self, policy: Option<&str>, by: Rank, most: usize) -> Vec<TopKey> {
        let now = self.clock.now();
        let mut top = Vec::new();
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.turn(now);
            let wanted = |name: &str| policy.is_none_or(|policy| policy == name);
            let policies = shard.policies.iter().filter(|(name, _)| wanted(name));
            top.extend(policies.flat_map(|(name, counts)| counts.top(name, by, now)));
        }
        let rank = |it: &TopKey| std::cmp::Reverse((it.count, it.count - it.error));
        top.sort_by(|one, other| {
            rank(one)
                .cmp(&rank(other))
                .then_with(|| (&one.policy, &one.key).cmp(&(&other.policy, &other.key)))
        });
        top.truncate(most);
        top
    }

    /// The busiest key of the policy called `policy`, if a request met it in the last minutes.
    pub(crate) fn busiest(&self, policy: &str) -> Option<BusiestKey> {
        let now = self.clock.now();
        let (mut busiest, mut all) = (None, 0);
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.turn(now);
            let Ok(found) = shard.find(policy) else { continue };
            let (_, counts) = &shard.policies[found];
            all += counts.requests.total();
            let sum = counts.requests.sum();
            let estimates = sum.iter().flat_map(Sketch::estimates);
            let least = |it: Estimate| (it.count - it.error, it.key);
            let first = estimates.map(least).max_by_key(|(least, _)| *least);
            busiest = busiest.into_iter().chain(first).max_by_key(|(least, _)| *least);
        }
        busiest.map(|(least, key)| BusiestKey { key: key.hash_tag().into(), least, all })
    }

    fn count(
        &self,
        charge: &Charge,
        now: Millis,
        counts: impl FnOnce(&mut PolicyCounts) -> &mut RecentCounts,
    ) {
        let shard = charge.key.fingerprint().shard(SHARDS);
        let mut shard = lock(&self.shards[shard]);
        shard.turn(now);
        if let Some(policy) = shard.policy(charge.policy.name()) {
            counts(policy).count(&charge.key, now);
        }
    }
}

impl Shard {
    /// Begins a generation, if the present one is over.
    fn turn(&mut self, now: Millis) {
        let generation = now / GENERATION;
        if generation <= self.generation {
            return;
        }
        let is_next = generation == self.generation + 1;
        self.generation = generation;
        self.policies.retain_mut(|(_, counts)| {
            counts.requests.turn(is_next);
            counts.refusals.turn(is_next);
            !(counts.requests.is_empty() && counts.refusals.is_empty())
        });
    }

    /// The counts of the policy `name`; `None` if there are too many policies.
    fn policy(&mut self, name: &str) -> Option<&mut PolicyCounts> {
        let place = match self.find(name) {
            Ok(found) => found,
            Err(_) if self.policies.len() >= MOST_POLICIES => return None,
            Err(place) => {
                self.policies.insert(place, (name.into(), PolicyCounts::default()));
                place
            }
        };
        Some(&mut self.policies[place].1)
    }

    /// Where the policy `name` is.
    ///
    /// # Errors
    /// If it is not there, with the place where it belongs.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.policies.binary_search_by(|(it, _)| (**it).cmp(name))
    }
}

impl PolicyCounts {
    fn top(&self, policy: &str, by: Rank, now: Millis) -> Vec<TopKey> {
        let (requests, refusals) = (self.requests.sum(), self.refusals.sum());
        let Some(ranked) = (match by {
            Rank::Refused => &refusals,
            Rank::Busiest => &requests,
        }) else {
            return Vec::new();
        };
        let refused_since = self.refusals.since(refusals.as_ref());
        let top = ranked.estimates().map(|it| TopKey {
            policy: policy.into(),
            key: it.key.hash_tag().into(),
            count: it.count,
            error: it.error,
            refused: refusals
                .as_ref()
                .map_or(0, |refusals| refusals.count_of(&it.key))
                .min(it.count),
            refused_for: refused_since
                .get(&it.key.fingerprint())
                .map(|since| now.saturating_sub(*since)),
        });
        top.collect()
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // If a panic left a count out, all others are right.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
