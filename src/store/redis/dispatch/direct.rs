//! Direct calls: a thread that serves requests in a runtime sends what it has gathered over a connection of its own,
//! and receives the replies in its own reactor. So no other thread has to be woken, neither to ask nor to answer.

use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::net::UnixDatagram;
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep};

use super::pending::PendingCalls;
use super::queue::{Queue, QueuedRequest};
use super::round_trip::RoundTrip;
use crate::store::redis::node::Node;
use crate::store::redis::script::batch::MAX_BATCH;
use crate::store::redis::servers::Servers;

/// What may be under way over one connection, so that sending never has to wait. Any system takes as much into the
/// buffer of a socket.
const MAX_BYTES: usize = 32 * 1024;

/// How many calls may be under way over one connection. Where Redis is slower than requests come, more would only make
/// the calls smaller.
const MAX_CALLS: usize = 16;

/// After a call of more requests than this, the thread is busy.
const MANY: usize = 1;

/// The direct calls of one thread to one server.
pub(super) struct Direct {
    servers: Weak<Servers>,
    /// Wakes the thread's task when the oldest call has taken as long as it may, or the connection has idled for as long.
    timer: Pin<Box<Sleep>>,
    /// The connection that this thread uses at present, with the calls that are under way.
    pending: Option<PendingCalls>,
    round_trip: RoundTrip,
    /// When it last had to have a connection made.
    wanted: Option<Instant>,
    /// How many requests the last call carried.
    carried: usize,
    /// How many were gathered when this thread last looked for more.
    seen: usize,
}

impl Direct {
    /// Those of this thread to `servers`; `None` if its runtime cannot wait for a socket, or if there are several
    /// servers.
    pub(super) fn here(servers: &Arc<Servers>) -> Option<Self> {
        servers.only()?;
        let timer = reactor()?;
        let servers = Arc::downgrade(servers);
        Some(Self {
            servers,
            timer,
            pending: None,
            round_trip: RoundTrip::default(),
            wanted: None,
            carried: 0,
            seen: 0,
        })
    }

    /// Takes from `gathered` what may be sent at once, and sends it.
    pub(super) fn send(
        &mut self,
        gathered: &mut Vec<QueuedRequest>,
        queue: &Queue,
        unsent: impl Fn(Vec<QueuedRequest>),
    ) {
        let servers = self.servers.upgrade();
        let node = servers.as_ref().and_then(|servers| servers.only());
        while !gathered.is_empty() {
            let Some(node) = node else { return unsent(std::mem::take(gathered)) };
            if self.waits(gathered.len(), node) {
                return;
            }
            let next = gathered.split_off(gathered.len().min(MAX_BATCH));
            let requests = std::mem::replace(gathered, next);
            let in_use = self.pending.take().filter(|it| it.may_go_on(node));
            match in_use.or_else(|| self.begin(node)) {
                Some(mut pending) => {
                    (self.carried, self.seen) = (requests.len(), 0);
                    pending.send(requests, node, queue);
                    self.pending = Some(pending);
                }
                None => unsent(requests),
            }
        }
    }

    /// Receives what has arrived, and sends in turn what waited for it. Has `context` woken when more arrives.
    pub(super) fn attend(
        &mut self,
        gathered: &mut Vec<QueuedRequest>,
        queue: &Queue,
        unsent: impl Fn(Vec<QueuedRequest>),
        context: &mut Context<'_>,
    ) {
        let Some(servers) = self.servers.upgrade() else {
            // What is dropped unanswered is answered so.
            self.pending = None;
            return gathered.clear();
        };
        let Some(node) = servers.only() else { return };
        loop {
            let count = gathered.len();
            if count > 0 && !self.waits(count, node) && !self.looks_for_more(count, context) {
                self.send(gathered, queue, &unsent);
            }
            let Some(mut pending) = self.pending.take() else { return };
            match pending.poll_next(node, queue, context) {
                Poll::Ready(Some(took)) => self.round_trip.observe(took, Instant::now()),
                Poll::Ready(None) => {}
                Poll::Pending if !self.is_time_up(&pending, node, context) => {
                    self.pending = Some(pending);
                    return;
                }
                // An idle connection goes back to the pool, where it is replaced in time.
                Poll::Pending if pending.is_empty() => return,
                Poll::Pending => pending.expire(node, queue),
            }
            self.pending = Some(pending).filter(|it| it.is_usable());
        }
    }

    /// Has a dispatcher finish the calls that are under way.
    pub(super) fn leave(&mut self, queue: &Arc<Queue>) {
        let Some(pending) = self.pending.take().filter(|it| !it.is_empty()) else { return };
        let (servers, of_thread) = (self.servers.clone(), queue.clone());
        queue.work(move || {
            if let Some(node) = servers.upgrade().as_ref().and_then(|servers| servers.only()) {
                pending.finish(node, &of_thread);
            }
        });
    }

    /// Whether this thread looks at its sockets once more before it sends the requests that it has gathered, which are
    /// `count`: it does while it is busy, for as long as each look brings more.
    fn looks_for_more(&mut self, count: usize, context: &mut Context<'_>) -> bool {
        let looks = self.carried > MANY && count > self.seen && count < MAX_BATCH;
        self.seen = count;
        if looks {
            // It has `context` woken after that look.
            let _ = pin!(yield_now()).poll(context);
        }
        looks
    }

    /// Whether so many requests wait for a reply of `node` before they are sent.
    fn waits(&self, count: usize, node: &Node) -> bool {
        let Some(pending) = &self.pending else { return false };
        let Some(oldest) = pending.oldest() else { return false };
        let is_full = pending.bytes() >= MAX_BYTES || pending.len() >= MAX_CALLS;
        let is_due = count < MAX_BATCH && self.round_trip.is_worth_a_wait(oldest.elapsed());
        is_full || is_due || !pending.may_go_on(node)
    }

    /// A connection of `node` that may be used here at once, if there is one. If not, one is made in the background.
    fn begin(&mut self, node: &Node) -> Option<PendingCalls> {
        if let Some(mut connection) = node.direct_connection() {
            connection.watch().ok()?;
            return Some(PendingCalls::over(connection));
        }
        if self.wanted.is_none_or(|at| at.elapsed() > node.timeout()) {
            self.wanted = Some(Instant::now());
            node.make_direct_connection();
        }
        None
    }

    /// Whether the oldest call has taken as long as it may, or the connection has idled for as long. If not, has
    /// `context` woken then.
    fn is_time_up(
        &mut self,
        pending: &PendingCalls,
        node: &Node,
        context: &mut Context<'_>,
    ) -> bool {
        let since = pending.oldest().unwrap_or_else(|| pending.last_used());
        let deadline = (since + node.timeout()).into();
        // A timer that ends earlier is of an older call. When it wakes the task, it is set anew.
        if self.timer.is_elapsed() || self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if self.timer.deadline() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }
}

/// A timer of this thread's runtime; `None` if there is no runtime, or if it was made without a clock or without
/// sockets. tokio tells that by a panic alone.
fn reactor() -> Option<Pin<Box<Sleep>>> {
    Handle::try_current().ok()?;
    let timer = catch_unwind(|| (UnixDatagram::unbound(), Box::pin(sleep(Duration::ZERO))));
    timer.ok().map(|(_, timer)| timer)
}
