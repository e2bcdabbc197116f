//! Counts and log lines about policies that have little room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::crowding::{FILLING, FULL, Level, overflow_counts};
use crate::domain::clock::Millis;
use crate::domain::policy::{KeySource, Policy};

/// The same line is logged no more often than this for one policy.
const INTERVAL: Millis = 10 * 60_000;

/// What is logged about a room, in the order of how full it is.
const NOTHING: u8 = 0;
const IS_FILLING: u8 = 1;
const IS_FULL: u8 = 2;

/// The watches of all policies of one store. They log while no lock of the store is held.
#[derive(Debug)]
pub(super) struct Watches {
    max_keys: usize,
    all: Mutex<HashMap<Box<str>, Arc<Watch>>>,
    has_news: AtomicBool,
}

/// Counts the requests of one policy that were counted coarsely, and logs how full its rooms are.
#[derive(Debug)]
pub(super) struct Watch {
    policy: Box<str>,
    /// Whether its keys may be networks, which can be counted more coarsely.
    is_by_address: bool,
    coarse: AtomicU64,
    overflow: AtomicU64,
    /// What was logged last. It is `NOTHING` again once the room is much less full.
    logged: AtomicU8,
    /// What is to be logged.
    to_log: AtomicU8,
    filling_logged_at: AtomicU64,
    full_logged_at: AtomicU64,
}

impl Watches {
    pub(super) fn new(max_keys: usize) -> Self {
        Self { max_keys, all: Mutex::default(), has_news: AtomicBool::default() }
    }

    /// The watch of all policies with the name of `policy`.
    pub(super) fn of(&self, policy: &Policy) -> Arc<Watch> {
        let mut all = self.lock();
        if let Some(known) = all.get(policy.name()) {
            return known.clone();
        }
        let watch = Arc::new(Watch::new(policy));
        all.insert(policy.name().into(), watch.clone());
        watch
    }

    pub(super) fn all(&self) -> Vec<Arc<Watch>> {
        self.lock().values().cloned().collect()
    }

    /// Notes that a new key found `taken` percent of a room taken, if that is worth a log line.
    pub(super) fn notice(&self, watch: &Watch, taken: usize, now: Millis) {
        if watch.is_worth_a_line(taken, now) {
            self.has_news.store(true, Ordering::Release);
        }
    }

    /// Logs what was noticed and not yet logged.
    pub(super) fn log_news(&self) {
        if !self.has_news.load(Ordering::Relaxed) || !self.has_news.swap(false, Ordering::Acquire) {
            return;
        }
        for watch in self.all() {
            watch.log_news(self.max_keys);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Watch>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn new(policy: &Policy) -> Self {
        Self {
            policy: policy.name().into(),
            is_by_address: matches!(policy.key(), KeySource::Ip | KeySource::UserOrIp),
            coarse: AtomicU64::default(),
            overflow: AtomicU64::default(),
            logged: AtomicU8::new(NOTHING),
            to_log: AtomicU8::new(NOTHING),
            filling_logged_at: AtomicU64::default(),
            full_logged_at: AtomicU64::default(),
        }
    }

    pub(super) fn policy(&self) -> &str {
        &self.policy
    }

    pub(super) fn is_by_address(&self) -> bool {
        self.is_by_address
    }

    /// How many requests were counted with those of a wider network, and how many in overflow counts.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.coarse.load(Ordering::Relaxed), self.overflow.load(Ordering::Relaxed))
    }

    pub(super) fn count(&self, level: Level, more: u32) {
        let count = if level == Level::Overflow { &self.overflow } else { &self.coarse };
        count.fetch_add(more.into(), Ordering::Relaxed);
    }

    fn is_worth_a_line(&self, taken: usize, now: Millis) -> bool {
        let (what, logged_at) = match taken {
            FULL.. => (IS_FULL, &self.full_logged_at),
            FILLING.. => (IS_FILLING, &self.filling_logged_at),
            _ => return false,
        };
        if self.logged.load(Ordering::Relaxed) >= what {
            return false;
        }
        let last = logged_at.load(Ordering::Relaxed);
        let is_too_soon = last > 0 && (last..last.saturating_add(INTERVAL)).contains(&now);
        if is_too_soon || self.logged.fetch_max(what, Ordering::Relaxed) >= what {
            return false;
        }
        logged_at.store(now, Ordering::Relaxed);
        self.to_log.fetch_max(what, Ordering::Relaxed);
        true
    }

    /// Notes that the room is much less full again.
    pub(super) fn ease(&self) {
        if self.logged.load(Ordering::Relaxed) != NOTHING {
            self.logged.store(NOTHING, Ordering::Relaxed);
        }
    }

    fn log_news(&self, max_keys: usize) {
        let policy = &self.policy;
        let advice = "If they are all your clients, raise store.max_keys; if somebody makes them up, \
             block who does, or count by a key that cannot be made up.";
        match self.to_log.swap(NOTHING, Ordering::Relaxed) {
            IS_FULL => log::warn!(
                "Policy {policy:?} has as many keys as it may of the {max_keys} in this process's \
                 memory: known clients are counted as before, and new ones share overflow counts ({} in \
                 all, each with the policy's quota) until some are free again. {advice}",
                overflow_counts(max_keys)
            ),
            IS_FILLING if self.is_by_address => log::warn!(
                "Policy {policy:?} has {FILLING} % of the keys that it may have of the {max_keys} in \
                 this process's memory: new IPv6 clients are counted by wider networks until some are \
                 free again. {advice}"
            ),
            IS_FILLING => log::warn!(
                "Policy {policy:?} has {FILLING} % of the keys that it may have of the {max_keys} in \
                 this process's memory. {advice}"
            ),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
