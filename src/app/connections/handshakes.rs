//! Counts the handshakes of TLS that fail.

use std::sync::atomic::Ordering;

use super::registry::Connections;

impl Connections {
    /// How many handshakes failed.
    pub(crate) fn failed_handshakes(&self) -> u64 {
        self.failed_handshakes.load(Ordering::Relaxed)
    }

    /// Counts that a handshake failed.
    pub(super) fn count_failed_handshake(&self) {
        self.failed_handshakes.fetch_add(1, Ordering::Relaxed);
    }
}
