//! What is counted of leases, by policy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What leases did under one policy since the process started, and what is held now. All numbers are units, but for
/// `held`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeaseCounts {
    /// The policy.
    pub policy: Box<str>,
    /// Units that were charged to the store to be used later.
    pub leased: u64,
    /// Those that requests used, counted when their lease ended.
    pub spent: u64,
    /// Those that were given back to the store unused.
    pub given_back: u64,
    /// Those that nobody used and that could not be given back.
    pub expired: u64,
    /// Those that are held at the moment.
    pub units_held: u64,
    /// Leases that are held at the moment.
    pub held: u64,
}

/// The counters of one policy.
#[derive(Debug, Default)]
pub(super) struct Counters {
    leased: AtomicU64,
    spent: AtomicU64,
    given_back: AtomicU64,
    expired: AtomicU64,
}

/// The counters of all policies that are leased. They are shared with the limiter that succeeds.
#[derive(Clone, Debug, Default)]
pub(super) struct AllCounters(BTreeMap<Box<str>, Arc<Counters>>);

impl Counters {
    pub(super) fn leased(&self, units: u64) {
        self.leased.fetch_add(units, Ordering::Relaxed);
    }

    pub(super) fn spent(&self, units: u64) {
        self.spent.fetch_add(units, Ordering::Relaxed);
    }

    /// Counts that of `units` so many were `given` back.
    pub(super) fn returned(&self, units: u64, given: u64) {
        self.given_back.fetch_add(given.min(units), Ordering::Relaxed);
        self.expired.fetch_add(units.saturating_sub(given), Ordering::Relaxed);
    }

    fn counts(&self, policy: &str) -> LeaseCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LeaseCounts {
            policy: policy.into(),
            leased: load(&self.leased),
            spent: load(&self.spent),
            given_back: load(&self.given_back),
            expired: load(&self.expired),
            ..LeaseCounts::default()
        }
    }
}

impl AllCounters {
    /// Those of the policies with these `names`, which go on from `previous`.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>, previous: Option<&Self>) -> Self {
        let known = |name: &str| previous.and_then(|previous| previous.0.get(name)).cloned();
        let all = names.map(|name| (name.into(), known(name).unwrap_or_default()));
        let mut all: BTreeMap<_, _> = all.collect();
        // A policy that comes back goes on from where it was.
        for (name, counters) in previous.iter().flat_map(|previous| &previous.0) {
            all.entry(name.clone()).or_insert_with(|| counters.clone());
        }
        Self(all)
    }

    pub(super) fn of_policy(&self, name: &str) -> Arc<Counters> {
        self.0.get(name).cloned().unwrap_or_default()
    }

    /// What all of them say, in the order of the names.
    pub(super) fn counts(&self) -> Vec<LeaseCounts> {
        self.0.iter().map(|(name, counters)| counters.counts(name)).collect()
    }
}
