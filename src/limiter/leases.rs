//! Leases: units of busy keys that this process has charged at once, and uses for requests in memory.
//!
//! A unit is charged before it is used, so leases never admit more than the quota. Where many requests of this process
//! use one key, a thread charges several units by one call (see [`keeper`]). A request takes its units from them, and
//! asks the store only for its other charges. A request that finds no units asks the store for all.
//!
//! What a process holds is missing to the others meanwhile. So it holds little of what remains (see [`chunk`]), for a
//! short time, and gives back what it does not use.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};

use self::counts::AllCounters;
pub use self::counts::LeaseCounts;
pub(super) use self::in_hand::InHand;
use self::in_hand::UnitsInHand;
use self::table::{LeaseTable, fingerprint};
use self::unused::{GivingBack, Unused};
use super::fallback::Fallback;
use crate::domain::clock::Clock;
use crate::domain::standing::Retry;
use crate::store::{Acquire, Acquired, Fingerprint, Key, Store};

mod chunk;
mod counts;
mod demand;
mod holding;
mod in_hand;
pub(super) mod keeper;
mod table;
mod unused;

/// The leases of this process.
#[derive(Debug)]
pub(super) struct Leases {
    store: Arc<dyn Store>,
    fallback: Option<Arc<Fallback>>,
    instances: NonZeroU64,
    /// It never steps back.
    clock: Arc<dyn Clock>,
    table: LeaseTable,
    counters: AllCounters,
    /// How often all leases were ended. A lease that was asked for before is given back.
    ended: AtomicU64,
    /// How often keys were reset. What was charged before may be forgotten, so it is not given back.
    resets: AtomicU64,
    jobs: Sender<Job>,
}

/// What the thread has to do.
#[derive(Debug)]
pub(super) enum Job {
    /// To ask for more units of a key.
    Ask(Fingerprint),
    GiveBack(Vec<Unused>),
}

impl Leases {
    /// No leases yet, of units in `store` under the policies with these `names`. The jobs are for [`keeper`].
    pub(super) fn new<'a>(
        store: Arc<dyn Store>,
        fallback: Option<Arc<Fallback>>,
        instances: NonZeroU64,
        clock: Arc<dyn Clock>,
        names: impl Iterator<Item = &'a str>,
        previous: Option<&Self>,
    ) -> (Arc<Self>, Receiver<Job>) {
        let counters = AllCounters::of(names, previous.map(|previous| &previous.counters));
        let (jobs, receiver) = mpsc::channel();
        let leases = Self {
            store,
            fallback,
            instances,
            clock,
            table: LeaseTable::default(),
            counters,
            ended: AtomicU64::new(0),
            resets: AtomicU64::new(0),
            jobs,
        };
        (Arc::new(leases), receiver)
    }

    /// Takes what a request needs of the keys that it is charged for, as far as that is in hand. A peek takes nothing,
    /// and so does a request under a policy that is tried out.
    pub(super) fn take(&self, asked: &Acquire) -> InHand {
        let mut in_hand = InHand::default();
        // Slots and trials are decided in the store, with all that the request meets.
        if asked.count != 1 || !asked.trials.is_empty() || asked.is_in_flight() {
            return in_hand;
        }
        let mut now = None;
        for (index, charge) in asked.charges.iter().enumerate() {
            let Some(lease) = charge.policy.lease() else { continue };
            let now = *now.get_or_insert_with(|| self.clock.now());
            let (fingerprint, cost) = (fingerprint(charge), charge.cost.units());
            let counters = || self.counters.of_policy(charge.policy.name());
            let taken = self.table.of_request(fingerprint, charge, lease, now, counters, |it| {
                (it.take(cost, now), it.begins_to_ask(now))
            });
            let Some((taken, asks)) = taken else { continue };
            let units = |taken| UnitsInHand { charge: index, fingerprint, cost, taken };
            in_hand.0.extend(taken.map(units));
            if asks {
                self.post(Job::Ask(fingerprint));
            }
        }
        in_hand
    }

    /// Puts units back that a request did not use after all.
    pub(super) fn put_back(&self, in_hand: &InHand, asked: &Acquire) {
        let now = self.clock.now();
        for UnitsInHand { charge, fingerprint, cost, taken } in &in_hand.0 {
            let put_back = self.table.with(*fingerprint, |it| it.put_back(taken, *cost, now));
            let unused = put_back.unwrap_or_else(|| {
                let charge = asked.charges.get(*charge)?.clone();
                let counters = self.counters.of_policy(charge.policy.name());
                Some(Unused { charge, units: *cost, charged_at: taken.charged_at, counters })
            });
            if let Some(unused) = unused {
                self.post(Job::GiveBack(vec![unused]));
            }
        }
    }

    /// Adds to what the store answered to a peek what this process holds besides.
    pub(super) fn add_to(&self, asked: &Acquire, acquired: &mut Acquired) {
        for (charge, standing) in asked.charges.iter().zip(&mut acquired.standings) {
            if charge.policy.lease().is_none() {
                continue;
            }
            let now = self.clock.now();
            let in_hand = |it: &mut holding::Holding| (it.left(now), it.most(now));
            if let Some((left, most)) = self.table.with(fingerprint(charge), in_hand) {
                standing.remaining = standing.remaining.saturating_add(left);
                if most >= charge.cost.units() {
                    standing.retry = Retry::Now;
                }
            }
        }
    }

    /// Ends all leases. The thread gives back what was not used.
    pub(super) fn end_all(&self) {
        let unused = self.take_all();
        if !unused.is_empty() {
            self.post(Job::GiveBack(unused));
        }
    }

    /// Ends all leases, and begins to give back what was not used.
    pub(super) fn give_back_all(&self) -> GivingBack {
        GivingBack::begin(self.take_all(), &*self.store)
    }

    /// Forgets the leases of `keys`, which were reset: their units are not charged any more.
    pub(super) fn forget(&self, keys: &[Key]) {
        self.resets.fetch_add(1, Ordering::SeqCst);
        self.table.retain(|holding| {
            if keys.contains(&holding.charge.key) {
                holding.end_all().iter().for_each(Unused::expire);
            }
            true
        });
    }

    /// What leases did, by policy.
    pub(super) fn counts(&self) -> Vec<LeaseCounts> {
        let (mut counts, now) = (self.counters.counts(), self.clock.now());
        self.table.retain(|holding| {
            let name = holding.charge.policy.name();
            if let Ok(index) = counts.binary_search_by(|it| (*it.policy).cmp(name)) {
                counts[index].units_held += holding.left(now);
                counts[index].held += holding.leases() as u64;
            }
            true
        });
        counts
    }

    fn take_all(&self) -> Vec<Unused> {
        self.ended.fetch_add(1, Ordering::SeqCst);
        let mut unused = Vec::new();
        self.table.retain(|holding| {
            unused.extend(holding.end_all());
            true
        });
        unused
    }

    /// Has the thread do `job`.
    fn post(&self, job: Job) {
        // Without the thread, units expire.
        let _ = self.jobs.send(job);
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        // Nobody waits for the answer.
        drop(self.give_back_all());
    }
}

#[cfg(test)]
mod tests;
