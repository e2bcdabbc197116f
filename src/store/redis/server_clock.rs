//! What is known of a server's clock, for calls that are told windows of calendars around its time.

use std::sync::atomic::{AtomicI64, Ordering};

use super::script::Sent;
use crate::domain::clock::Clock as _;
use crate::store::SystemClock;

/// How far a server's clock was from this process's when the server last told. It decides nothing.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    /// In ms; 0 for as long as the two were never so far apart that it mattered.
    ahead: AtomicI64,
}

impl ServerClock {
    /// How a script is first sent to the server.
    pub(super) fn first(&self) -> Sent {
        match self.ahead.load(Ordering::Relaxed) {
            0 => Sent::ByHash,
            ahead => Sent::ByHashAt(SystemClock.now().saturating_add_signed(ahead)),
        }
    }

    /// Learns what time the server told, if it did before a script was `sent` again.
    pub(super) fn learn(&self, sent: Sent) {
        if let Some(told) = sent.told() {
            let ahead = i128::from(told) - i128::from(SystemClock.now());
            self.ahead.store(i64::try_from(ahead).unwrap_or(0), Ordering::Relaxed);
        }
    }
}
