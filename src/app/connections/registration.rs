//! One open connection among the others.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::Context;

use atomic_waker::AtomicWaker;

use super::limit::Limit;
use super::registry::{Connections, Stage};
use crate::domain::clock::Millis;

/// What others may know of a connection, and tell it.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// Where it stands among the open ones; under their lock.
    place: AtomicUsize,
    /// When the server began to wait for this client; 0 while it does not.
    waits_since: AtomicU64,
    is_to_end: AtomicBool,
    waker: AtomicWaker,
}

impl Entry {
    pub(super) fn at(place: usize) -> Self {
        Self { place: place.into(), ..Self::default() }
    }

    pub(super) fn place(&self) -> usize {
        self.place.load(Ordering::Relaxed)
    }

    pub(super) fn move_to(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
    }

    /// For how long the server has waited for this client; none where it does not, or no more.
    pub(super) fn waited_for(&self, now: Millis) -> Option<Millis> {
        let since = self.waits_since.load(Ordering::Relaxed);
        let waits = since > 0 && !self.is_to_end.load(Ordering::Relaxed);
        waits.then(|| now.saturating_sub(since))
    }

    /// Tells it to end for another.
    pub(super) fn end(&self) {
        self.is_to_end.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(super) fn wake(&self) {
        self.waker.wake();
    }
}

/// What a connection that waits for its client is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Stay,
    /// To end unless a request has begun.
    EndIdle,
    /// To end.
    End,
}

/// A connection that was taken up; to drop it says that it is closed.
#[derive(Debug)]
pub(crate) struct Registration {
    connections: Arc<Connections>,
    entry: Arc<Entry>,
    address: Option<IpAddr>,
}

impl Registration {
    pub(super) fn new(
        connections: Arc<Connections>,
        entry: Arc<Entry>,
        address: Option<IpAddr>,
    ) -> Self {
        Self { connections, entry, address }
    }

    /// Waits for the client. What it is to do meanwhile; a change of that wakes the task of `context`.
    pub(crate) fn wait(&self, context: &Context<'_>) -> Order {
        self.entry.waker.register(context.waker());
        if self.entry.waits_since.load(Ordering::Relaxed) == 0 {
            self.entry.waits_since.store(self.connections.now(), Ordering::Relaxed);
        }
        if self.entry.is_to_end.load(Ordering::Relaxed) {
            return Order::End;
        }
        match self.connections.stage() {
            Stage::Ending => Order::EndIdle,
            Stage::Serving | Stage::LastAnswers => Order::Stay,
        }
    }

    /// The client did what it was waited for.
    pub(crate) fn goes_on(&self) {
        self.entry.waits_since.store(0, Ordering::Relaxed);
    }

    /// Whether its next answer is its last.
    pub(crate) fn is_last_answer(&self) -> bool {
        self.connections.stage() > Stage::Serving || self.entry.is_to_end.load(Ordering::Relaxed)
    }

    /// Counts that `limit` acted on it.
    pub(crate) fn count(&self, limit: Limit) {
        self.connections.count(limit);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.connections.leave(&self.entry, self.address);
    }
}
