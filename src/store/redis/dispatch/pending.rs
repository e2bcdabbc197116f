//! Calls under way over one connection: they were sent, and their replies are still to come, in the same order.

use std::collections::VecDeque;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};

use super::queue::{AnswerTo, Queue, QueuedRequest};
use crate::store::redis::connect::wire::Wire;
use crate::store::redis::error::{is_about_a_key, store_error};
use crate::store::redis::node::{Node, PooledConnection};
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::{self, Sent};
use crate::store::{Acquired, StoreError, StoreErrorKind};

/// The shortest wait for a reply, after the calls that were waited for before it.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// A connection, and the calls under way over it. If the connection fails, all of them are lost, and no other.
pub(super) struct PendingCalls {
    connection: PooledConnection,
    /// The oldest first.
    calls: VecDeque<PendingCall>,
    /// What they take in the buffers of the sockets.
    bytes: usize,
}

#[derive(Debug)]
struct PendingCall {
    batch: Batch,
    answers: Vec<AnswerTo<Acquired>>,
    begun: Instant,
    bytes: usize,
}

impl PendingCalls {
    /// No calls yet, over `connection`.
    pub(super) fn over(connection: PooledConnection) -> Self {
        Self { connection, calls: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The bytes of the calls that are under way.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest call was sent; `None` if none is under way.
    pub(super) fn oldest(&self) -> Option<Instant> {
        Some(self.calls.front()?.begun)
    }

    /// When anything last passed over the connection.
    pub(super) fn last_used(&self) -> Instant {
        self.connection.last_used()
    }

    /// Whether anything can come of the connection: it has not failed, or calls are under way still.
    pub(super) fn is_usable(&self) -> bool {
        self.connection.is_fit() || !self.is_empty()
    }

    /// Whether another call may be sent over this connection to `node`.
    pub(super) fn may_go_on(&self, node: &Node) -> bool {
        self.connection.is_fit()
            && self.connection.generation() == node.link().generation()
            && !(self.is_empty() && self.connection.is_worn(Duration::ZERO))
    }

    /// Sends `requests` to `node` as one call.
    pub(super) fn send(&mut self, requests: Vec<QueuedRequest>, node: &Node, queue: &Queue) {
        let (asked, answers) = requests.into_iter().map(|it| (it.acquire, it.answer)).unzip();
        let batch = Batch::of(asked);
        let counts = &node.link().tally().calls;
        counts.requests.observe(batch.len() as u64);
        counts.coalesced.add(batch.coalesced());
        let call =
            script::acquire(&batch, node.now(), node.server_clock().first()).get_packed_command();
        let begun = Instant::now();
        self.bytes += call.len();
        self.calls.push_back(PendingCall { batch, answers, begun, bytes: call.len() });
        if let Err(error) = self.connection.send(&call) {
            self.fail(store_error(error), node, queue);
        }
    }

    /// Receives the reply to the oldest call and answers its requests, or all requests if the connection has failed.
    /// Returns how long the call took, if it was answered.
    pub(super) fn poll_next(
        &mut self,
        node: &Node,
        queue: &Queue,
        context: &mut Context<'_>,
    ) -> Poll<Option<Duration>> {
        let reply = ready!(self.connection.poll_receive(self.calls.len() <= 1, context));
        Poll::Ready(self.end_next(reply, node, queue))
    }

    /// Receives the replies to all calls, and answers their requests. It waits for them.
    pub(super) fn finish(mut self, node: &Node, queue: &Queue) {
        while let Some(oldest) = self.oldest() {
            let left = (oldest + node.timeout()).saturating_duration_since(Instant::now());
            let reply = self.connection.receive(left.max(MIN_WAIT));
            self.end_next(reply, node, queue);
        }
    }

    /// Fails all calls if the oldest has taken longer than it may.
    pub(super) fn expire(&mut self, node: &Node, queue: &Queue) {
        while self.oldest().is_some_and(|begun| begun.elapsed() >= node.timeout()) {
            // This thread may have been busy for so long, and the reply be there.
            match self.connection.run(Wire::receive_arrived).transpose() {
                Some(reply) => drop(self.end_next(reply, node, queue)),
                None => self.fail(StoreError::new(StoreErrorKind::TimedOut), node, queue),
            }
        }
    }

    /// Ends the oldest call with its `reply`, or all calls if the connection has failed. Returns how long the call took,
    /// if it was answered.
    fn end_next(
        &mut self,
        reply: RedisResult<Value>,
        node: &Node,
        queue: &Queue,
    ) -> Option<Duration> {
        let Some(oldest) = self.calls.pop_front() else {
            // The server has closed an idle connection, or said what nobody asked for.
            self.connection.discard();
            return None;
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.calls.push_front(oldest);
                self.fail(store_error(error), node, queue);
                return None;
            }
        };
        let PendingCall { batch, answers, begun, bytes } = oldest;
        self.bytes -= bytes;
        let took = begun.elapsed();
        let reply: RedisResult<Vec<u8>> = self.connection.accept(reply);
        let again = reply.as_ref().err().and_then(|it| Sent::ByHash.again_after(it));
        if let Some(again) = again {
            // A dispatcher will count that the script was unknown.
            node.server_clock().learn(again);
        }
        let is_unknown = again.is_some();
        let reply = reply.map_err(store_error);
        if is_unknown || batch.len() > 1 && reply.as_ref().is_err_and(is_about_a_key) {
            // The call was not run. A dispatcher has more ways to ask.
            let requests = batch.into_requests().into_iter().zip(answers);
            let again = requests.map(|(acquire, answer)| QueuedRequest { acquire, answer });
            queue.send(again.collect(), None);
            return Some(took);
        }
        let link = node.link();
        link.tally().calls.times.observe_time(took);
        // It may have been there before this thread came to look. So it is not late.
        link.observe(link.now(), self.connection.generation(), &reply);
        queue.answer(answers, None, batch.answers(reply));
        Some(took)
    }

    /// Ends all calls with `error`, of which the link learns once.
    fn fail(&mut self, error: StoreError, node: &Node, queue: &Queue) {
        self.connection.discard();
        let link = node.link();
        let kind = error.kind();
        link.observe::<()>(link.now(), self.connection.generation(), &Err(error));
        self.bytes = 0;
        for PendingCall { batch, answers, begun, .. } in self.calls.drain(..) {
            link.tally().calls.times.observe_time(begun.elapsed());
            queue.answer(answers, None, vec![Err(kind); batch.len()]);
        }
    }
}

impl Drop for PendingCalls {
    /// The next user of the connection would take a late reply for its own.
    fn drop(&mut self) {
        if !self.calls.is_empty() {
            self.connection.discard();
        }
    }
}
