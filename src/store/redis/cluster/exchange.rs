//! Sends calls to several nodes at once, to each node as one pipeline, and follows redirections.
//!
//! A call is sent again only if a reply says that it was not run. After a timeout or a lost connection
//! it is not sent again, because it may have charged.

use std::ops::DerefMut;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};

use super::call::{Call, NoReply, Nodes};
use super::map::{Map, Member};
use super::slots::NodeAddress;
use super::state::ClusterState;
use crate::domain::clock::Millis;
use crate::store::redis::connect::connection::Connection;
use crate::store::redis::error::store_error;
use crate::store::redis::script::Sent;
use crate::store::{StoreError, StoreErrorKind};

/// How often a call is sent at most: to the owner of its slot in the map, to where the slot was moved, to
/// where it is moving, and there again with the whole script.
const MAX_ROUNDS: usize = 6;

/// The least time that a node gets to answer, after the nodes that were waited for before it.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// One sending of a call.
#[derive(Debug)]
struct Attempt {
    /// The index of the call.
    call: usize,
    to: Destination,
    sent: Sent,
}

/// Where a call is sent to.
#[derive(Debug)]
enum Destination {
    /// The owner of its slot, by the map.
    Owner,
    /// The node that a redirection named as the owner.
    Moved(NodeAddress),
    /// The node that the slot is moving to. It takes the call only after `ASKING`.
    Asking(NodeAddress),
}

/// The calls that are sent to one node together.
struct Pipeline {
    address: NodeAddress,
    /// The node, if the map has it.
    member: Option<Arc<Member>>,
    attempts: Vec<Attempt>,
}

/// A connection to a node: a pooled one, or one that is made for this time.
type NodeConnection = Box<dyn DerefMut<Target = Connection>>;

impl Pipeline {
    /// The present instant, for [`observe`](Self::observe).
    fn now(&self) -> Millis {
        self.member.as_ref().map_or(0, |member| member.node.link().now())
    }

    /// Tells the link of the node how the calls ended, all of them as one.
    fn observe(&self, begun: Millis, connection: &Connection, result: &Result<(), StoreError>) {
        if let Some(member) = &self.member {
            member.node.link().observe(begun, connection.generation(), result);
        }
    }
}

/// Sends `calls`, and returns their replies in the same order. Calls of one slot are run in that order,
/// too.
pub(super) fn exchange(
    cluster: &ClusterState,
    calls: &[Call<'_>],
    nodes: Nodes,
) -> Vec<Result<Value, NoReply>> {
    // A call that is redirected too often was never run.
    let declined = Err(NoReply::Store(StoreErrorKind::Declined));
    let replies = calls.iter().map(|_| declined.clone()).collect();
    let mut exchange = Exchange { cluster, calls, nodes, replies };
    let attempt = |call| Attempt { call, to: Destination::Owner, sent: Sent::ByHash };
    let mut attempts: Vec<Attempt> = (0..calls.len()).map(attempt).collect();
    for _ in 0..MAX_ROUNDS {
        if attempts.is_empty() {
            break;
        }
        attempts = exchange.round(attempts);
    }
    exchange.replies
}

struct Exchange<'a> {
    cluster: &'a ClusterState,
    calls: &'a [Call<'a>],
    nodes: Nodes,
    replies: Vec<Result<Value, NoReply>>,
}

impl Exchange<'_> {
    /// Sends `attempts` to all nodes, and only then waits for replies. Returns the attempts of the next
    /// round.
    fn round(&mut self, attempts: Vec<Attempt>) -> Vec<Attempt> {
        let pipelines = self.pipelines(&self.cluster.map(), attempts);
        let sent: Vec<_> =
            pipelines.into_iter().filter_map(|pipeline| self.send(pipeline)).collect();
        // It begins here, so that the wait for a connection to one node is not taken from another node.
        let deadline = Instant::now() + self.cluster.options.connect.timeout;
        let mut next = Vec::new();
        for (pipeline, connection) in sent {
            self.receive(pipeline, connection, deadline, &mut next);
        }
        next
    }

    /// Sorts `attempts` by node.
    fn pipelines(&mut self, map: &Map, attempts: Vec<Attempt>) -> Vec<Pipeline> {
        let mut pipelines: Vec<Pipeline> = Vec::new();
        for attempt in attempts {
            let (address, member) = match &attempt.to {
                Destination::Owner => match map.owner(self.calls[attempt.call].slot) {
                    Some(member) => (member.address.clone(), Some(member.clone())),
                    None => {
                        self.fail(&[attempt], StoreErrorKind::Unreachable);
                        continue;
                    }
                },
                Destination::Moved(address) | Destination::Asking(address) => {
                    (address.clone(), map.at(address).cloned())
                }
            };
            // The pool of a node that is down gives no connection, and only its probe may take it up. So
            // such a node is asked past both.
            let member = member.filter(|it| self.nodes == Nodes::Up || it.node.is_up());
            match pipelines.iter_mut().find(|pipeline| pipeline.address == address) {
                Some(pipeline) => pipeline.attempts.push(attempt),
                None => pipelines.push(Pipeline { address, member, attempts: vec![attempt] }),
            }
        }
        pipelines
    }

    /// Sends the calls of `pipeline`. Returns the connection that the replies will come over; `None` if
    /// it failed.
    fn send(&mut self, pipeline: Pipeline) -> Option<(Pipeline, NodeConnection)> {
        let mut bytes = Vec::new();
        for attempt in &pipeline.attempts {
            if matches!(attempt.to, Destination::Asking(_)) {
                redis::cmd("ASKING").write_packed_command(&mut bytes);
            }
            let operation = &self.calls[attempt.call].operation;
            let member = pipeline.member.as_ref().filter(|_| attempt.sent == Sent::ByHash);
            let sent = member.map_or(attempt.sent, |it| it.node.server_clock().first());
            let command = operation.command(self.cluster.now(), sent);
            command.write_packed_command(&mut bytes);
        }
        let was_down = pipeline.member.as_ref().is_some_and(|member| !member.node.is_up());
        let sent = self.connection(&pipeline).and_then(|mut connection| {
            let begun = pipeline.now();
            let sent = connection.send(&bytes).map_err(store_error);
            if sent.is_err() {
                pipeline.observe(begun, &connection, &sent);
            }
            sent.map(|()| connection)
        });
        match sent {
            Ok(connection) => Some((pipeline, connection)),
            Err(error) => {
                self.fail(&pipeline.attempts, error.kind());
                // While a node is down, the map is refreshed anyway.
                if !was_down {
                    self.cluster.refresh_soon();
                }
                None
            }
        }
    }

    /// A connection for `pipeline`: a pooled one, or one for this time if the map does not have the node
    /// yet.
    fn connection(&self, pipeline: &Pipeline) -> Result<NodeConnection, StoreError> {
        match &pipeline.member {
            Some(member) => member.node.connection().map(|it| Box::new(it) as NodeConnection),
            None => {
                let connector = self.cluster.connector(&pipeline.address).map_err(store_error)?;
                // Whatever went wrong, none of the calls was sent.
                let unsent = |error| store_error(error).into_kind(StoreErrorKind::Unreachable);
                Ok(Box::new(Box::new(connector.connect(0).map_err(unsent)?)))
            }
        }
    }

    /// Receives the replies to `pipeline`, and adds to `next` what must be sent again.
    fn receive(
        &mut self,
        mut pipeline: Pipeline,
        mut connection: NodeConnection,
        deadline: Instant,
        next: &mut Vec<Attempt>,
    ) {
        // It begins here, since the node may have answered while other nodes were waited for.
        let begun = pipeline.now();
        let mut outcome = Ok(());
        let mut attempts = std::mem::take(&mut pipeline.attempts).into_iter();
        while let Some(attempt) = attempts.next() {
            let asking = matches!(attempt.to, Destination::Asking(_));
            match receive(&mut connection, asking, deadline) {
                Ok(reply) => match self.take(attempt, reply, &pipeline.address) {
                    Ok(again) => next.extend(again),
                    Err(error) => outcome = Err(error),
                },
                Err(error) => {
                    // The replies to the others are not waited for, so nobody may use the connection.
                    connection.discard();
                    let error = store_error(error);
                    let lost: Vec<Attempt> = std::iter::once(attempt).chain(attempts).collect();
                    self.fail(&lost, error.kind());
                    outcome = Err(error);
                    break;
                }
            }
        }
        if outcome.is_err() {
            self.cluster.refresh_soon();
        }
        pipeline.observe(begun, &connection, &outcome);
    }

    /// Takes the `reply` of the node at `address` to `attempt`. Returns the next attempt, if the reply
    /// makes one necessary.
    fn take(
        &mut self,
        attempt: Attempt,
        reply: Value,
        address: &NodeAddress,
    ) -> Result<Option<Attempt>, StoreError> {
        let error = match reply.extract_error() {
            Ok(reply) => {
                self.replies[attempt.call] = Ok(reply);
                return Ok(None);
            }
            Err(error) => error,
        };
        if let Some(sent) = attempt.sent.again_after(&error) {
            match self.cluster.map().at(address) {
                Some(member) => member.node.sends_again(sent),
                None if sent.is_whole() => {
                    self.cluster.shared.tally.calls.unknown_scripts.add(1);
                }
                None => {}
            }
            return Ok(Some(Attempt { sent, ..attempt }));
        }
        let redirected = || NodeAddress::of_redirection(error.redirect_node()?.0, address);
        let to = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => {
                self.cluster.refresh_soon();
                redirected().map(Destination::Moved)
            }
            ErrorKind::Server(ServerErrorKind::Ask) => redirected().map(Destination::Asking),
            ErrorKind::Server(ServerErrorKind::TryAgain) => {
                self.replies[attempt.call] = Err(NoReply::Scattered);
                return Ok(None);
            }
            _ => None,
        };
        if let Some(to) = to {
            return Ok(Some(Attempt { to, ..attempt }));
        }
        let error = store_error(error);
        self.fail(&[attempt], error.kind());
        Err(error)
    }

    fn fail(&mut self, attempts: &[Attempt], kind: StoreErrorKind) {
        for attempt in attempts {
            self.replies[attempt.call] = Err(NoReply::Store(kind));
        }
    }
}

/// Receives the next reply. If it was sent after `ASKING`, the reply to that comes first.
fn receive(connection: &mut Connection, asking: bool, deadline: Instant) -> RedisResult<Value> {
    let mut next = || {
        let left = deadline.saturating_duration_since(Instant::now());
        connection.receive(left.max(MIN_WAIT))
    };
    if asking {
        let _: Value = next()?;
    }
    next()
}
