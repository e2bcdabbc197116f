//! A connection's own hold on its listener.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use actix_web::rt::time::Instant;

use super::entry::Entry;
use super::limit::Limit;
use super::registry::{Connections, Stage};
use crate::domain::clock::Millis;

/// What a connection that waits for its client is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Directive {
    /// To go on waiting.
    Stay,
    /// To close, unless a request has begun.
    CloseIfIdle,
    /// To close.
    Close,
}

/// An open connection; dropping it says that the connection is closed.
#[derive(Debug)]
pub(crate) struct Registration {
    connections: Arc<Connections>,
    entry: Arc<Entry>,
    /// What the connection is counted by; `None` where it is not counted by address.
    address: Option<IpAddr>,
    opened: Instant,
    /// The same moment, by the listener's clock.
    opened_at: Millis,
}

impl Registration {
    /// Adds a connection from `peer` to `connections`. If all are in use, the one that has kept the
    /// server waiting longest is told to close.
    ///
    /// # Errors
    /// With the limit that leaves no room for it.
    pub(crate) fn open(
        connections: &Arc<Connections>,
        peer: Option<IpAddr>,
    ) -> Result<Self, Limit> {
        let address = connections.counted_address(peer);
        let entry = connections.add(address)?;
        let (opened, opened_at) = (Instant::now(), connections.now());
        Ok(Self { connections: connections.clone(), entry, address, opened, opened_at })
    }

    /// Notes that the server waits for the client, and returns what the connection is to do meanwhile.
    /// A change of that wakes the task of `context`.
    pub(crate) fn wait(&self, context: &Context<'_>) -> Directive {
        self.entry.wait(context, || self.connections.now());
        self.directive()
    }

    /// The same for a connection on which the server has work to do, and does not wait.
    pub(crate) fn watch(&self, context: &Context<'_>) -> Directive {
        self.entry.watch(context);
        self.directive()
    }

    fn directive(&self) -> Directive {
        if self.entry.is_to_close() {
            return Directive::Close;
        }
        match self.connections.stage() {
            Stage::Ending => Directive::CloseIfIdle,
            Stage::Serving | Stage::LastResponses => Directive::Stay,
        }
    }

    /// Notes that the client has sent or read what the server waited for.
    pub(crate) fn progressed(&self) {
        self.entry.stop_waiting();
    }

    /// Whether the next response on it is the last.
    pub(crate) fn is_last_response(&self) -> bool {
        self.connections.stage() > Stage::Serving || self.entry.is_to_close()
    }

    /// What it is counted by from now on.
    pub(super) fn set_address(&mut self, address: Option<IpAddr>) {
        self.address = address;
    }

    /// The connections that it is one of.
    pub(crate) fn connections(&self) -> &Arc<Connections> {
        &self.connections
    }

    /// When it was opened.
    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    /// The present, as exactly as the listener's clock tells it.
    pub(crate) fn now(&self) -> Instant {
        let open_for = self.connections.now().saturating_sub(self.opened_at);
        self.opened + Duration::from_millis(open_for)
    }

    /// Counts that its handshake failed.
    pub(crate) fn count_failed_handshake(&self) {
        self.connections.count_failed_handshake();
    }

    /// Counts that `limit` acted on it.
    pub(crate) fn count(&self, limit: Limit) {
        self.connections.count(limit);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.connections.remove(&self.entry, self.address);
    }
}
