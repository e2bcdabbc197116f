//! How often the limits of a listener acted, and what the log says of it.

use std::sync::atomic::Ordering;

use super::limit::Limit;
use super::registry::Connections;
use crate::domain::clock::Millis;

/// How often the log says that connections are refused, or closed to make room, in milliseconds.
const LOG_INTERVAL: Millis = 60_000;

impl Connections {
    /// How often `limit` closed a connection, or refused one or its request.
    pub(crate) fn acted(&self, limit: Limit) -> u64 {
        self.acted[limit as usize].load(Ordering::Relaxed)
    }

    /// Counts that `limit` acted.
    pub(crate) fn count(&self, limit: Limit) {
        self.acted[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts that `limit`, which is `most` connections, acted, and logs it at times.
    pub(super) fn act(&self, limit: Limit, most: usize) {
        self.count(limit);
        if self.may_log() {
            let (listener, times) = (self.listener(), self.acted(limit));
            match limit {
                Limit::MaxConnectionsPerIp => log::warn!(
                    "An address has {most} connections to the {listener} listener, and gets no more; \
                     {times} were refused so since the start."
                ),
                _ => log::warn!(
                    "All {most} connections to the {listener} listener are in use: each new one takes \
                     the place of the one that has been waited for longest, {times} times since the \
                     start."
                ),
            }
        }
    }

    /// Whether the log has said nothing of refusals for a while. Then the caller is to say it.
    pub(super) fn may_log(&self) -> bool {
        let now = self.now();
        let quiet_until = self.quiet_until.load(Ordering::Relaxed);
        let until = now.saturating_add(LOG_INTERVAL);
        now >= quiet_until
            && self
                .quiet_until
                .compare_exchange(quiet_until, until, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
