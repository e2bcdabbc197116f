//! Calls to several nodes at once: to each its own as one pipeline, and after it where it sends them.
//!
//! A call is sent again only where a reply says that it was not run. What a time limit or a lost
//! connection leaves open stays so: it may have charged.

use std::ops::DerefMut;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisResult, ServerErrorKind, Value};

use super::super::error::store_error;
use super::super::script::Sent;
use super::Cluster;
use super::call::{Call, Failure, Whom};
use super::map::{Map, Member, Place};
use crate::domain::clock::Millis;
use crate::store::redis::node::pool::Connection;
use crate::store::{StoreError, StoreErrorKind};

/// How often a call is sent at most: to where its slot is thought to be, where that was moved, where
/// it is moving, and there once more with the script.
const MOST_TRIPS: usize = 6;

/// The least time that a node has left to answer, after those that were waited for before it.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// One call on its way.
#[derive(Debug)]
struct Trip {
    call: usize,
    to: To,
    sent: Sent,
}

#[derive(Debug)]
enum To {
    Owner,
    Moved(Place),
    Asking(Place),
}

/// The trips to one node.
struct Leg {
    place: Place,
    member: Option<Arc<Member>>,
    trips: Vec<Trip>,
}

impl Leg {
    /// An instant for [`observe`](Self::observe).
    fn begun(&self) -> Millis {
        self.member.as_ref().map_or(0, |member| member.node.link().now())
    }

    /// Has the node's link learn how the calls ended, all as one.
    fn observe(&self, begun: Millis, line: &Connection, result: &Result<(), StoreError>) {
        if let Some(member) = &self.member {
            member.node.link().observe(begun, line.generation(), result);
        }
    }
}

/// The replies to `calls`, in their order. Calls of one slot are run in that order, too.
pub(super) fn exchange(
    cluster: &Cluster,
    calls: &[Call<'_>],
    whom: Whom,
) -> Vec<Result<Value, Failure>> {
    // What is sent on and on is not run.
    let declined = Err(Failure::Store(StoreErrorKind::Declined));
    let replies = calls.iter().map(|_| declined.clone()).collect();
    let mut exchange = Exchange { cluster, calls, whom, replies };
    let trip = |call| Trip { call, to: To::Owner, sent: Sent::ByName };
    let mut trips: Vec<Trip> = (0..calls.len()).map(trip).collect();
    for _ in 0..MOST_TRIPS {
        if trips.is_empty() {
            break;
        }
        trips = exchange.travel(trips);
    }
    exchange.replies
}

struct Exchange<'a> {
    cluster: &'a Cluster,
    calls: &'a [Call<'a>],
    whom: Whom,
    replies: Vec<Result<Value, Failure>>,
}

impl Exchange<'_> {
    /// Makes `trips`, to all nodes before the first reply is waited for; those to be made next.
    fn travel(&mut self, trips: Vec<Trip>) -> Vec<Trip> {
        let legs = self.legs(&self.cluster.map(), trips);
        let sent: Vec<_> = legs.into_iter().filter_map(|leg| self.send(leg)).collect();
        // From now on: to wait for a connection to one node is no delay of another.
        let deadline = Instant::now() + self.cluster.options.timeout;
        let mut next = Vec::new();
        for (leg, line) in sent {
            self.receive(leg, line, deadline, &mut next);
        }
        next
    }

    fn legs(&mut self, map: &Map, trips: Vec<Trip>) -> Vec<Leg> {
        let mut legs: Vec<Leg> = Vec::new();
        for trip in trips {
            let (place, member) = match &trip.to {
                To::Owner => match map.owner(self.calls[trip.call].slot) {
                    Some(member) => (member.place.clone(), Some(member.clone())),
                    None => {
                        self.fail(&[trip], StoreErrorKind::Unreachable);
                        continue;
                    }
                },
                To::Moved(place) | To::Asking(place) => (place.clone(), map.at(place).cloned()),
            };
            // Its pool refuses, and its link is told by its own probe alone.
            let member = member.filter(|it| self.whom == Whom::Up || it.node.is_up());
            match legs.iter_mut().find(|leg| leg.place == place) {
                Some(leg) => leg.trips.push(trip),
                None => legs.push(Leg { place, member, trips: vec![trip] }),
            }
        }
        legs
    }

    /// Sends the calls of `leg`, if it can.
    fn send(&mut self, leg: Leg) -> Option<(Leg, Line)> {
        let mut bytes = Vec::new();
        for trip in &leg.trips {
            if matches!(trip.to, To::Asking(_)) {
                redis::cmd("ASKING").write_packed_command(&mut bytes);
            }
            let command = self.calls[trip.call].what.command(self.cluster.now(), trip.sent);
            command.write_packed_command(&mut bytes);
        }
        let was_down = leg.member.as_ref().is_some_and(|member| !member.node.is_up());
        let sent = self.line(&leg).and_then(|mut line| {
            let begun = leg.begun();
            let sent = line.send(&bytes).map_err(store_error);
            if sent.is_err() {
                leg.observe(begun, &line, &sent);
            }
            sent.map(|()| line)
        });
        match sent {
            Ok(line) => Some((leg, line)),
            Err(error) => {
                self.fail(&leg.trips, error.kind());
                // That is being looked at already.
                if !was_down {
                    self.cluster.refresh_soon();
                }
                None
            }
        }
    }

    /// A connection to the node of `leg`: a pooled one, or one for this time where the node is so new
    /// that the map does not have it yet.
    fn line(&self, leg: &Leg) -> Result<Line, StoreError> {
        match &leg.member {
            Some(member) => member.node.connection().map(|it| Box::new(it) as Line),
            None => {
                let connector = self.cluster.connector(&leg.place).map_err(store_error)?;
                // Nothing of the calls was sent, whatever went wrong.
                let unsent = |error| store_error(error).into_kind(StoreErrorKind::Unreachable);
                Ok(Box::new(Box::new(connector.connect(0).map_err(unsent)?)))
            }
        }
    }

    fn receive(&mut self, mut leg: Leg, mut line: Line, deadline: Instant, next: &mut Vec<Trip>) {
        // From here on: while others were waited for, it may have answered.
        let begun = leg.begun();
        let mut outcome = Ok(());
        let mut trips = std::mem::take(&mut leg.trips).into_iter();
        while let Some(trip) = trips.next() {
            let asking = matches!(trip.to, To::Asking(_));
            match receive(&mut line, asking, deadline) {
                Ok(reply) => match self.take(trip, reply, &leg.place) {
                    Ok(again) => next.extend(again),
                    Err(error) => outcome = Err(error),
                },
                Err(error) => {
                    // What comes of the others later is not waited for.
                    line.discard();
                    let error = store_error(error);
                    let lost: Vec<Trip> = std::iter::once(trip).chain(trips).collect();
                    self.fail(&lost, error.kind());
                    outcome = Err(error);
                    break;
                }
            }
        }
        if outcome.is_err() {
            self.cluster.refresh_soon();
        }
        leg.observe(begun, &line, &outcome);
    }

    /// Takes the reply to `trip` from the node at `place`; the trip that it makes necessary, or what
    /// it says of the node.
    fn take(
        &mut self,
        trip: Trip,
        reply: Value,
        place: &Place,
    ) -> Result<Option<Trip>, StoreError> {
        let error = match reply.extract_error() {
            Ok(reply) => {
                self.replies[trip.call] = Ok(reply);
                return Ok(None);
            }
            Err(error) => error,
        };
        let redirected = || Place::named(error.redirect_node()?.0, place);
        let to = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => {
                self.cluster.refresh_soon();
                redirected().map(To::Moved)
            }
            ErrorKind::Server(ServerErrorKind::Ask) => redirected().map(To::Asking),
            ErrorKind::Server(ServerErrorKind::TryAgain) => {
                self.replies[trip.call] = Err(Failure::Scattered);
                return Ok(None);
            }
            ErrorKind::Server(ServerErrorKind::NoScript) if trip.sent == Sent::ByName => {
                return Ok(Some(Trip { sent: Sent::Whole, ..trip }));
            }
            _ => None,
        };
        if let Some(to) = to {
            return Ok(Some(Trip { to, ..trip }));
        }
        let error = store_error(error);
        self.fail(&[trip], error.kind());
        Err(error)
    }

    fn fail(&mut self, trips: &[Trip], kind: StoreErrorKind) {
        for trip in trips {
            self.replies[trip.call] = Err(Failure::Store(kind));
        }
    }
}

/// The next reply, after the one to `ASKING`.
fn receive(connection: &mut Connection, asking: bool, deadline: Instant) -> RedisResult<Value> {
    let mut next = || {
        let left = deadline.saturating_duration_since(Instant::now());
        connection.receive(left.max(LEAST_WAIT))
    };
    if asking {
        let _: Value = next()?;
    }
    next()
}

/// A connection that calls go over.
type Line = Box<dyn DerefMut<Target = Connection>>;
