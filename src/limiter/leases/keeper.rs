//! The thread that asks for leases, ends them, and gives back what was not used. Requests never wait for it.

use std::collections::HashSet;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use super::chunk;
use super::holding::{Grant, Holding};
use super::unused::{GivingBack, Unused};
use super::{Job, Leases};
use crate::domain::clock::{Clock, Millis};
use crate::domain::policy::Policy;
use crate::limiter::fallback::Fallback;
use crate::store::{
    Acquire, Acquired, Answer, BuildFingerprintHasher, Charge, Fingerprint, Store, StoreError,
};

/// The thread looks for leases to end in steps of a lease time divided by this, and of at least a millisecond.
const LOOKS: u64 = 4;

/// The store was asked for units of a key.
struct Asked {
    fingerprint: Fingerprint,
    charge: Charge,
    units: u32,
    /// The moment before that.
    at: Millis,
    /// How often leases were ended, and keys reset, by then.
    ended: u64,
    resets: u64,
    answer: Answer<Acquired>,
}

/// The leases of those of `policies` that allow it, with the thread that keeps them; `None` if none does. The thread ends
/// when they are dropped.
pub(in crate::limiter) fn start(
    store: &Arc<dyn Store>,
    fallback: Option<&Arc<Fallback>>,
    instances: NonZeroU64,
    clock: Arc<dyn Clock>,
    policies: &[Arc<Policy>],
    previous: Option<&Leases>,
) -> Option<Arc<Leases>> {
    let shortest = policies.iter().filter_map(|policy| policy.lease()).min()?;
    let every = Duration::from_millis((shortest / LOOKS).max(1));
    let names = policies.iter().filter(|it| it.lease().is_some()).map(|policy| policy.name());
    let (leases, jobs) =
        Leases::new(store.clone(), fallback.cloned(), instances, clock, names, previous);
    let of_thread = Arc::downgrade(&leases);
    let keep = move || while keep(&of_thread, every, &jobs) {};
    let started = thread::Builder::new().name("tollgate-leases".to_owned()).spawn(keep);
    if let Err(error) = &started {
        log::warn!("Nothing is leased, since no thread can be started: {error}.");
    }
    started.is_ok().then_some(leases)
}

/// Does the next jobs. While there are leases, it looks at them from time to time. Returns false at the end.
fn keep(leases: &Weak<Leases>, every: Duration, jobs: &Receiver<Job>) -> bool {
    let mut next = match jobs.recv() {
        Ok(job) => Some(job),
        Err(_) => return false,
    };
    loop {
        let Some(leases) = leases.upgrade() else { return false };
        if !leases.work(next.into_iter().chain(jobs.try_iter())) {
            return true;
        }
        drop(leases);
        next = match jobs.recv_timeout(every) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
    }
}

impl Leases {
    /// Does `jobs`, and ends leases that are over. Returns whether it has to look again.
    pub(super) fn work(&self, jobs: impl Iterator<Item = Job>) -> bool {
        let mut unused = Vec::new();
        let mut keys: HashSet<Fingerprint, BuildFingerprintHasher> = HashSet::default();
        for job in jobs {
            match job {
                Job::Ask(fingerprint) => drop(keys.insert(fingerprint)),
                Job::GiveBack(more) => unused.extend(more),
            }
        }
        let giving_back = GivingBack::begin(unused, &*self.store);
        let mut unused = self.ask(keys);
        giving_back.wait();
        let (mut holds, now) = (false, self.clock.now());
        self.table.retain(|holding| {
            unused.extend(holding.end_old(now));
            let is_kept = !holding.is_over(now);
            holds |= is_kept;
            is_kept
        });
        GivingBack::begin(unused, &*self.store).wait();
        holds
    }

    /// Asks for more units of `keys`. Returns those that cannot be used.
    fn ask(&self, keys: HashSet<Fingerprint, BuildFingerprintHasher>) -> Vec<Unused> {
        let now = self.clock.now();
        // All are begun before any is awaited, so that they are one call.
        let peek = |fingerprint: Fingerprint| {
            let read = |it: &mut Holding| (it.charge.clone(), it.plenty(now, self.instances));
            let (charge, plenty) = self.table.with(fingerprint, read)?;
            let ask = || self.store.acquire(&Acquire::new(vec![charge.clone()], 0));
            let plenty_or_answer = plenty.ok_or_else(ask);
            Some((fingerprint, charge, plenty_or_answer))
        };
        let peeks: Vec<_> = keys.into_iter().filter_map(peek).collect();
        let asked = peeks.into_iter().filter_map(|(fingerprint, charge, plenty_or_answer)| {
            let left = plenty_or_answer.map_or_else(|answer| remaining(answer.wait()), Some);
            self.ask_for(fingerprint, charge, left)
        });
        let asked: Vec<Asked> = asked.collect();
        asked.into_iter().filter_map(|asked| self.grant(asked)).collect()
    }

    /// Asks for so many units of a key as suit it while `remaining` are left; `None` if none do.
    fn ask_for(
        &self,
        fingerprint: Fingerprint,
        charge: Charge,
        remaining: Option<u64>,
    ) -> Option<Asked> {
        let units = self.table.with(fingerprint, |holding| {
            let now = self.clock.now();
            let (held, demand) = (holding.left(now), holding.demand(now));
            let units = remaining.and_then(|it| chunk::chunk(it, self.instances, held, demand));
            if units.is_none() {
                holding.refuse(now);
            }
            units
        });
        let units = units.flatten()?;
        let [ended, resets] = [&self.ended, &self.resets].map(|it| it.load(Ordering::SeqCst));
        let at = self.clock.now();
        let answer = self.store.acquire(&Acquire::new(vec![charge.clone()], units));
        Some(Asked { fingerprint, charge, units, at, ended, resets, answer })
    }

    /// Holds what the store granted. Returns the part that cannot be used.
    fn grant(&self, asked: Asked) -> Option<Unused> {
        let Asked { fingerprint, charge, units, at, ended, resets, answer } = asked;
        let answer = answer.wait();
        let refuse = || self.table.with(fingerprint, |it| it.refuse(self.clock.now()));
        let acquired = match answer {
            Ok(acquired) if acquired.admitted > 0 => acquired,
            // If the store has charged them nevertheless, they expire.
            _ => {
                refuse();
                return None;
            }
        };
        if let Some(fallback) = &self.fallback {
            fallback.learn(&Acquire::new(vec![charge.clone()], units), &acquired);
        }
        let granted = u64::from(acquired.admitted);
        let counters = self.counters.of_policy(charge.policy.name());
        counters.leased(granted);
        let charged_at = acquired.charged_at(0);
        let unused = |units| Unused { charge, units, charged_at, counters };
        let standing = acquired.standings.first().copied();
        let kept = standing.map_or(0, |it| chunk::kept(granted, it.remaining, self.instances));
        let (Some(standing), false) = (standing, kept == 0) else {
            refuse();
            return Some(unused(granted));
        };
        let grant = Grant { units: kept, standing, charged_at, asked: at };
        // Whoever ends all leases or resets a key counts that first. So either it finds this lease, or it is noticed here.
        let fate = self.table.with(fingerprint, |holding| {
            let now = self.clock.now();
            let is_reset = self.resets.load(Ordering::SeqCst) != resets;
            let is_ended = self.ended.load(Ordering::SeqCst) != ended;
            if !is_reset && !is_ended && holding.grant(grant, now) {
                return Fate::Held;
            }
            holding.refuse(now);
            if is_reset { Fate::Forgotten } else { Fate::Late }
        });
        match fate.unwrap_or(Fate::Late) {
            Fate::Held if granted == kept => None,
            Fate::Held => Some(unused(granted - kept)),
            Fate::Late => Some(unused(granted)),
            Fate::Forgotten => {
                unused(granted).expire();
                None
            }
        }
    }
}

/// What becomes of granted units.
enum Fate {
    Held,
    /// Their time is over, or all leases were ended meanwhile.
    Late,
    /// The store may not count them any more, because of a reset.
    Forgotten,
}

/// What remains by the `answer` to a peek; `None` if the store failed.
fn remaining(answer: Result<Acquired, StoreError>) -> Option<u64> {
    answer.ok()?.standings.first().map(|standing| standing.remaining)
}
