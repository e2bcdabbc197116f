//! What a listener knows of one open connection.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Context;

use atomic_waker::AtomicWaker;

use crate::domain::clock::Millis;

/// One open connection, as its listener sees it.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Its index among the open ones; read and written under their lock.
    index: AtomicUsize,
    /// When the server began to wait for this client; 0 while it does not wait.
    waiting_since: AtomicU64,
    /// Whether the connection was told to close.
    is_to_close: AtomicBool,
    waker: AtomicWaker,
}

impl Entry {
    pub(super) fn at(index: usize) -> Self {
        Self { index: index.into(), ..Self::default() }
    }

    pub(super) fn index(&self) -> usize {
        self.index.load(Ordering::Relaxed)
    }

    pub(super) fn move_to(&self, index: usize) {
        self.index.store(index, Ordering::Relaxed);
    }

    /// For how long the server has waited for this client. `None` while it does not wait, and once
    /// the connection was told to close.
    pub(super) fn waited_for(&self, now: Millis) -> Option<Millis> {
        let since = self.waiting_since.load(Ordering::Relaxed);
        let waits = since > 0 && !self.is_to_close();
        waits.then(|| now.saturating_sub(since))
    }

    /// Notes that the server waits for this client, since `now` unless it did before. A change of what
    /// the connection is to do wakes the task of `context`.
    pub(super) fn wait(&self, context: &Context<'_>, now: impl FnOnce() -> Millis) {
        self.waker.register(context.waker());
        if self.waiting_since.load(Ordering::Relaxed) == 0 {
            self.waiting_since.store(now(), Ordering::Relaxed);
        }
    }

    /// Wakes the task of `context` when what the connection is to do changes.
    pub(super) fn watch(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }

    /// Notes that the server no longer waits for this client.
    pub(super) fn stop_waiting(&self) {
        self.waiting_since.store(0, Ordering::Relaxed);
    }

    pub(super) fn is_to_close(&self) -> bool {
        self.is_to_close.load(Ordering::Relaxed)
    }

    /// Tells the connection to close.
    pub(super) fn close(&self) {
        self.is_to_close.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Has the connection look again at what it is to do.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }
}
