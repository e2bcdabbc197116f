//! The registry of a listener's open connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::time::timeout;
use atomic_waker::AtomicWaker;
use tokio::sync::Notify;

use super::entry::Entry;
use super::limit::Limit;
use super::spared::Spared;
use crate::domain::clock::{Clock, Millis};
use crate::domain::key::{Ipv6Network, Ipv6Prefix, counted};
use crate::domain::network::Networks;

/// Connections above the capacity that may be open for a moment, until those that were told to close
/// have closed.
pub(crate) const SPARE: usize = 64;

/// How long a new connection waits for others to close when even those spare ones are in use.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections that are compared to find the one that has kept the server waiting longest.
const COMPARED: usize = 256;

/// How many connections a listener may have at a time.
#[derive(Debug, Default)]
pub(crate) struct Capacity {
    pub(crate) total: usize,
    /// How many of them one address may have; `None` where addresses tell no clients apart, as over a
    /// Unix socket.
    pub(crate) per_address: Option<usize>,
    /// The size of the IPv6 networks that count as one address.
    pub(crate) ipv6_prefix: Ipv6Prefix,
    /// Proxies, which may use the whole capacity.
    pub(crate) proxies: Networks,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It has not begun.
    Serving,
    /// New connections are served, and each closes after its next response.
    LastResponses,
    /// Connections that wait for a request close as well.
    Ending,
}

/// The open connections of a listener, and how often its limits acted.
#[derive(Debug)]
pub(crate) struct Connections {
    listener: &'static str,
    pub(super) capacity: Capacity,
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
    stage: AtomicUsize,
    pub(super) accepted: AtomicU64,
    pub(super) acted: [AtomicU64; Limit::ALL.len()],
    pub(super) failed_handshakes: AtomicU64,
    /// The time before which the log says no more about refusals.
    pub(super) quiet_until: AtomicU64,
    /// Whose connections are not counted by address, besides proxies.
    pub(super) spared: Spared,
    /// Each connection that closes wakes the next of those that wait for room.
    closed: Notify,
    /// Wakes the task that waits until no connection is left.
    emptied: AtomicWaker,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    open: Vec<Arc<Entry>>,
    pub(super) of_address: HashMap<IpAddr, usize>,
    /// The index at which the next search for a waiting connection begins.
    cursor: usize,
}

impl Connections {
    /// Creates the registry of `listener`, as metrics and log lines name it. `clock` never steps back.
    pub(crate) fn new(
        listener: &'static str,
        capacity: Capacity,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            listener,
            capacity,
            clock,
            table: Mutex::default(),
            stage: AtomicUsize::new(Stage::Serving as usize),
            accepted: AtomicU64::new(0),
            acted: Default::default(),
            failed_handshakes: AtomicU64::new(0),
            quiet_until: AtomicU64::new(0),
            spared: Spared::default(),
            closed: Notify::new(),
            emptied: AtomicWaker::new(),
        })
    }

    pub(crate) fn listener(&self) -> &'static str {
        self.listener
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.table().open.len()
    }

    /// How many were made since the start, refused ones included.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Serving,
            1 => Stage::LastResponses,
            _ => Stage::Ending,
        }
    }

    /// Enters `stage`, and wakes the connections that wait.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.store(stage as usize, Ordering::Relaxed);
        let open = self.table().open.clone();
        for entry in open {
            entry.wake();
        }
    }

    /// Waits, for a second at most, while even the spare connections are in use. Thousands of clients may
    /// connect at once, before the connections that were told to close had a chance to do so.
    pub(crate) async fn wait_for_room(&self, peer: Option<IpAddr>) {
        let room = async {
            while self.is_crowded(peer) {
                self.closed.notified().await;
            }
        };
        // If there is still no room, the connection is refused.
        let _ = timeout(PATIENCE, room).await;
    }

    /// From now on, connections of addresses for which `is_spared` returns true are not counted by address.
    pub(crate) fn spare(&self, is_spared: impl Fn(IpAddr) -> bool + Send + Sync + 'static) {
        self.spared.tell(Box::new(is_spared));
    }

    /// Whether there is no room for a connection from `peer` now, but may be in a moment.
    fn is_crowded(&self, peer: Option<IpAddr>) -> bool {
        let address = self.counted_address(peer);
        let table = self.table();
        table.open.len() >= self.capacity.total + SPARE && self.has_fewer(&table, address)
    }

    /// Whether the address has fewer connections than it may have.
    pub(super) fn has_fewer(&self, table: &Table, address: Option<IpAddr>) -> bool {
        let open = address.and_then(|address| table.of_address.get(&address)).copied();
        self.capacity.per_address.is_none_or(|most| open.unwrap_or(0) < most)
    }

    /// Adds a connection that is counted by `address`. If all are in use, the one that has kept the server
    /// waiting longest is told to close.
    ///
    /// # Errors
    /// With the limit that leaves no room for it.
    pub(super) fn add(&self, address: Option<IpAddr>) -> Result<Arc<Entry>, Limit> {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let total = self.capacity.total;
        let mut table = self.table();
        if !self.has_fewer(&table, address) {
            drop(table);
            self.act(Limit::MaxConnectionsPerIp, self.capacity.per_address.unwrap_or_default());
            return Err(Limit::MaxConnectionsPerIp);
        }
        if table.open.len() >= total {
            let has_room = table.open.len() < total + SPARE;
            let longest = if has_room { table.longest_waiting(self.now()) } else { None };
            if longest.map(|it| it.close()).is_none() {
                drop(table);
                self.act(Limit::MaxConnections, total);
                return Err(Limit::MaxConnections);
            }
            self.act(Limit::MaxConnections, total);
        }
        if let Some(address) = address {
            *table.of_address.entry(address).or_default() += 1;
        }
        let entry = Arc::new(Entry::at(table.open.len()));
        table.open.push(entry.clone());
        Ok(entry)
    }

    /// Waits until no connection is open.
    pub(crate) fn poll_emptied(&self, context: &mut Context<'_>) -> Poll<()> {
        self.emptied.register(context.waker());
        if self.open() == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The time, which is never 0.
    pub(super) fn now(&self) -> Millis {
        self.clock.now().saturating_add(1)
    }

    /// The address that a connection from `peer` is counted by; `None` where it is not counted so.
    pub(super) fn counted_address(&self, peer: Option<IpAddr>) -> Option<IpAddr> {
        self.capacity.per_address?;
        let address = peer?;
        let peer = counted(address);
        if self.capacity.proxies.contain(peer) || self.spared.has(address) {
            return None;
        }
        Some(match peer {
            IpAddr::V6(v6) => Ipv6Network::of(v6, self.capacity.ipv6_prefix).first().into(),
            v4 => v4,
        })
    }

    /// Removes a connection that has closed.
    pub(super) fn remove(&self, entry: &Entry, address: Option<IpAddr>) {
        let mut table = self.table();
        let index = entry.index();
        table.open.swap_remove(index);
        if let Some(moved) = table.open.get(index) {
            moved.move_to(index);
        }
        if let Some(address) = address
            && let Some(open) = table.of_address.get_mut(&address)
        {
            *open -= 1;
            if *open == 0 {
                table.of_address.remove(&address);
            }
        }
        let is_empty = table.open.is_empty();
        drop(table);
        self.closed.notify_one();
        if is_empty && self.stage() > Stage::Serving {
            self.emptied.wake();
        }
    }

    pub(super) fn table(&self) -> MutexGuard<'_, Table> {
        // The counts are right even if a panic left the lock poisoned.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The one among the next few that has kept the server waiting longest at `now`. `None` if each of
    /// them is being served, or was told to close.
    fn longest_waiting(&mut self, now: Millis) -> Option<Arc<Entry>> {
        let all = self.open.len();
        let compared = COMPARED.min(all);
        let from = self.cursor;
        self.cursor = (from + compared) % all.max(1);
        let next = (from..from + compared).map(|index| &self.open[index % all]);
        let waiting = next.filter_map(|entry| Some((entry.waited_for(now)?, entry)));
        waiting.max_by_key(|(waited, _)| *waited).map(|(_, entry)| entry.clone())
    }
}

#[cfg(test)]
mod tests;
