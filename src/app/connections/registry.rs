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

use super::limit::Limit;
use super::registration::{Entry, Registration};
use crate::domain::clock::{Clock, Millis};
use crate::domain::key::{Ipv6Network, Ipv6Prefix, counted};
use crate::domain::network::Networks;

/// Connections over the most that may be open for a moment, while others that were told to end do so.
pub(crate) const SPARE: usize = 64;

/// How long a new connection waits, where there are more than that, for some of them to have ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// Connections that are compared to find the one that has kept the server waiting longest.
const COMPARED: usize = 256;

/// How often the log says that connections are refused or ended for others.
const LOGGED_EVERY: Millis = 60_000;

/// How many connections there may be, and of whom.
#[derive(Debug, Default)]
pub(crate) struct Most {
    pub(crate) in_all: usize,
    /// None where addresses say nothing, as over a Unix socket.
    pub(crate) per_address: Option<usize>,
    /// The size of the IPv6 networks that are one address each.
    pub(crate) ipv6_prefix: Ipv6Prefix,
    /// Proxies, which may have all of them.
    pub(crate) proxies: Networks,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It has not begun.
    Serving,
    /// New connections are served, and each ends with its next answer.
    LastAnswers,
    /// Those that wait for a request end as well.
    Ending,
}

/// The open connections of a listener, and what its limits did.
#[derive(Debug)]
pub(crate) struct Connections {
    listener: &'static str,
    most: Most,
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
    stage: AtomicUsize,
    accepted: AtomicU64,
    acted: [AtomicU64; Limit::ALL.len()],
    /// The time before which the log says no more of it.
    quiet_until: AtomicU64,
    /// One that waits for room is told of each that leaves, in the order in which they came.
    left: Notify,
    /// Who waits until none is left.
    emptied: AtomicWaker,
}

#[derive(Debug, Default)]
struct Table {
    open: Vec<Arc<Entry>>,
    of_address: HashMap<IpAddr, usize>,
    /// Where the next search for a waiting one begins.
    cursor: usize,
}

impl Connections {
    /// Of the listener with this name, in metrics and log lines. The clock never steps back.
    pub(crate) fn of(listener: &'static str, most: Most, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            listener,
            most,
            clock,
            table: Mutex::default(),
            stage: AtomicUsize::new(Stage::Serving as usize),
            accepted: AtomicU64::new(0),
            acted: Default::default(),
            quiet_until: AtomicU64::new(0),
            left: Notify::new(),
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

    /// How many there have been, those among them that were refused.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How often `limit` closed a connection, or refused one or its request.
    pub(crate) fn acted(&self, limit: Limit) -> u64 {
        self.acted[limit as usize].load(Ordering::Relaxed)
    }

    /// Counts that `limit` did so.
    pub(crate) fn count(&self, limit: Limit) {
        self.acted[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Serving,
            1 => Stage::LastAnswers,
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

    /// Waits, where more connections were told to end than may be open beside the others, until some of
    /// them have ended, and not for long. Thousands may come at once, before those have had their turn.
    pub(crate) async fn wait_for_room(&self, peer: Option<IpAddr>) {
        let room = async {
            while self.is_crowded(peer) {
                self.left.notified().await;
            }
        };
        // Where time is up it is refused.
        let _ = timeout(PATIENCE, room).await;
    }

    /// Whether none from `peer` can be taken up now, and that may change in a moment.
    fn is_crowded(&self, peer: Option<IpAddr>) -> bool {
        let address = peer.and_then(|peer| self.limited(peer));
        let table = self.table();
        table.open.len() >= self.most.in_all + SPARE && self.has_fewer(&table, address)
    }

    /// Whether the address has fewer connections than it may have.
    fn has_fewer(&self, table: &Table, address: Option<IpAddr>) -> bool {
        let open = address.and_then(|address| table.of_address.get(&address)).copied();
        self.most.per_address.is_none_or(|most| open.unwrap_or(0) < most)
    }

    /// Takes up a connection from `peer`. Where all are taken, the one that has kept the server waiting
    /// longest is told to end for it.
    ///
    /// # Errors
    /// With the limit that stands against it.
    pub(crate) fn take_up(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Registration, Limit> {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let address = peer.and_then(|peer| self.limited(peer));
        let mut table = self.table();
        if !self.has_fewer(&table, address) {
            drop(table);
            let most = self.most.per_address.unwrap_or_default();
            return Err(self.refuse(Limit::MaxConnectionsPerIp, most));
        }
        if table.open.len() >= self.most.in_all {
            let has_room = table.open.len() < self.most.in_all + SPARE;
            let longest = if has_room { table.longest_waiting(self.now()) } else { None };
            if longest.map(|it| it.end()).is_none() {
                drop(table);
                return Err(self.refuse(Limit::MaxConnections, self.most.in_all));
            }
            self.refuse(Limit::MaxConnections, self.most.in_all);
        }
        if let Some(address) = address {
            *table.of_address.entry(address).or_default() += 1;
        }
        let entry = Arc::new(Entry::at(table.open.len()));
        table.open.push(entry.clone());
        drop(table);
        Ok(Registration::new(self.clone(), entry, address))
    }

    /// Waits until none is open.
    pub(crate) fn poll_emptied(&self, context: &mut Context<'_>) -> Poll<()> {
        self.emptied.register(context.waker());
        if self.open() == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The time, which is never 0.
    pub(super) fn now(&self) -> Millis {
        self.clock.now().saturating_add(1)
    }

    /// What connections from `peer` are counted by; none where they are not.
    fn limited(&self, peer: IpAddr) -> Option<IpAddr> {
        let peer = counted(peer);
        if self.most.per_address.is_none() || self.most.proxies.contain(peer) {
            return None;
        }
        Some(match peer {
            IpAddr::V6(v6) => Ipv6Network::of(v6, self.most.ipv6_prefix).first().into(),
            v4 => v4,
        })
    }

    fn refuse(&self, limit: Limit, most: usize) -> Limit {
        self.count(limit);
        let now = self.now();
        let quiet_until = self.quiet_until.load(Ordering::Relaxed);
        let until = now.saturating_add(LOGGED_EVERY);
        let is_mine = now >= quiet_until
            && self
                .quiet_until
                .compare_exchange(quiet_until, until, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if is_mine {
            let (listener, times) = (self.listener, self.acted(limit));
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
        limit
    }

    pub(super) fn leave(&self, entry: &Entry, address: Option<IpAddr>) {
        let mut table = self.table();
        let place = entry.place();
        table.open.swap_remove(place);
        if let Some(moved) = table.open.get(place) {
            moved.move_to(place);
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
        self.left.notify_one();
        if is_empty && self.stage() > Stage::Serving {
            self.emptied.wake();
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A count is right whatever a panic left.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The one among the next few that has kept the server waiting longest at `now`; none where each is
    /// being answered, or told to end.
    fn longest_waiting(&mut self, now: Millis) -> Option<Arc<Entry>> {
        let all = self.open.len();
        let compared = COMPARED.min(all);
        let from = self.cursor;
        self.cursor = (from + compared) % all.max(1);
        let next = (from..from + compared).map(|place| &self.open[place % all]);
        let waiting = next.filter_map(|entry| Some((entry.waited_for(now)?, entry)));
        waiting.max_by_key(|(waited, _)| *waited).map(|(_, entry)| entry.clone())
    }
}

#[cfg(test)]
mod tests;
