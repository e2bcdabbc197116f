//! Routes requests whose keys live in several slots: a call to each slot after another, in the order of
//! the policies.
//!
//! If a later slot denies a request, what the earlier ones were charged is given back. The last policy
//! is decided last, whatever slots the others are in, so that it is never given back.

use std::collections::HashMap;

use redis::{FromRedisValue as _, Value};
use smallvec::SmallVec;

use super::call::{Call, NoReply, Nodes, Operation};
use super::exchange::exchange;
use super::slots::slot_of;
use super::state::ClusterState;
use crate::domain::clock::Millis;
use crate::domain::standing::Standing;
use crate::store::redis::script::Refund;
use crate::store::redis::script::batch::Batch;
use crate::store::{Acquire, Acquired, Key, StoreErrorKind};

/// Requests that are being decided slot by slot.
pub(super) struct RoutedCalls {
    requests: Vec<Request>,
    nodes: Nodes,
}

#[derive(Debug)]
struct Request {
    acquire: Acquire,
    parts: SmallVec<[Part; 1]>,
    /// The index of the part that is to be decided next.
    next: usize,
    /// How many of the identical requests all parts so far have admitted.
    admitted: u32,
    standings: Vec<Option<Standing>>,
    failed: Option<StoreErrorKind>,
}

/// The charges of a request that are decided in one call.
#[derive(Debug)]
struct Part {
    slot: u16,
    charges: SmallVec<[usize; 2]>,
    /// Whether it is sent in a call of its own, because its slot is moving.
    is_alone: bool,
    /// How many of the identical requests were charged to it.
    charged: u32,
    /// When that was, by the clock of its node.
    decided_at: Millis,
}

/// A part of a request that is sent next.
#[derive(Clone, Copy, Debug)]
struct Step {
    request: usize,
    part: usize,
    /// How many of the identical requests it is sent for; 0 only asks where it stands.
    count: u32,
}

/// What is sent as one call: all of a slot, or one key of a slot that is moving.
type CallKey<'a> = (u16, Option<&'a Key>);

/// When a part was decided, and how; or why it was not.
type PartDecided = Result<(Millis, Acquired), NoReply>;

impl RoutedCalls {
    pub(super) fn of(requests: Vec<Acquire>, nodes: Nodes) -> Self {
        Self { requests: requests.into_iter().map(Request::new).collect(), nodes }
    }

    /// Decides all requests, and returns the answers in their order.
    pub(super) fn run(mut self, cluster: &ClusterState) -> Vec<Result<Acquired, StoreErrorKind>> {
        while self.decide_next(cluster) {}
        self.give_back(cluster);
        self.requests.into_iter().map(Request::answer).collect()
    }

    /// Decides the next part of every request that has one. Returns whether there was any.
    fn decide_next(&mut self, cluster: &ClusterState) -> bool {
        let open: Vec<Step> =
            self.requests.iter().enumerate().filter_map(|(it, request)| request.step(it)).collect();
        for (step, decided) in self.send(cluster, &open) {
            self.requests[step.request].take(decided);
        }
        !open.is_empty()
    }

    /// Sends `steps`, as few calls as possible, and returns what is decided of each.
    fn send(&self, cluster: &ClusterState, steps: &[Step]) -> Vec<(Step, PartDecided)> {
        let mut by_call: HashMap<CallKey<'_>, (Vec<Step>, Vec<Acquire>)> = HashMap::new();
        for step in steps {
            let request = &self.requests[step.request];
            let part = &request.parts[step.part];
            let key = part.charges.first().filter(|_| part.is_alone);
            let key = key.map(|charge| &request.acquire.charges[*charge].key);
            let (steps, acquires) = by_call.entry((part.slot, key)).or_default();
            steps.push(*step);
            acquires.push(request.part_of(part, step.count));
        }
        let (mut steps_of_calls, mut batches) = (Vec::new(), Vec::new());
        for ((slot, _), (steps, acquires)) in by_call {
            steps_of_calls.push(steps);
            let batch = Batch::of(acquires);
            cluster.shared.tally.calls.coalesced.add(batch.coalesced());
            batches.push((slot, batch));
        }
        let calls: Vec<Call<'_>> = batches
            .iter()
            .map(|(slot, batch)| Call { slot: *slot, operation: Operation::Acquire(batch) })
            .collect();
        let replies = exchange(cluster, &calls, self.nodes).into_iter();
        let decided = replies.zip(&batches).flat_map(|(reply, (_, batch))| decided(batch, reply));
        steps_of_calls.into_iter().flatten().zip(decided).collect()
    }

    /// Gives back what was charged to requests that were then denied, and reads where that leaves their
    /// keys.
    fn give_back(&mut self, cluster: &ClusterState) {
        let refunds: Vec<(usize, u16, Refund)> = self
            .requests
            .iter()
            .enumerate()
            .flat_map(|(it, request)| request.refunds(it))
            .collect();
        if refunds.is_empty() {
            return;
        }
        let calls: Vec<Call<'_>> = refunds
            .iter()
            .map(|(_, slot, refund)| Call { slot: *slot, operation: Operation::Refund(refund) })
            .collect();
        let replies = exchange(cluster, &calls, self.nodes);
        for (reply, (request, _, refund)) in replies.into_iter().zip(&refunds) {
            if let Err(no_reply) = reply {
                cluster.not_given_back(refund, no_reply.kind());
                self.requests[*request].stays_charged();
            }
        }
        let decided = self.requests.iter().enumerate().filter(|(_, it)| it.failed.is_none());
        let steps = decided.flat_map(|(number, request)| {
            let refunded = (0..request.parts.len()).filter(|part| request.overcharged(*part) > 0);
            refunded.map(move |part| Step { request: number, part, count: 0 })
        });
        let steps: Vec<Step> = steps.collect();
        for (step, decided) in self.send(cluster, &steps) {
            if let Ok((_, acquired)) = decided {
                self.requests[step.request].set_standings(step.part, acquired);
            }
        }
    }
}

/// What `reply` decides of each part in `batch`.
fn decided(batch: &Batch, reply: Result<Value, NoReply>) -> Vec<PartDecided> {
    let decided = reply.and_then(|reply| {
        let bytes = Vec::<u8>::from_redis_value(reply);
        let decided = bytes.ok().and_then(|bytes| batch.decode(&bytes).ok());
        decided.ok_or(NoReply::Store(StoreErrorKind::Refused))
    });
    match decided {
        Ok(decided) => {
            let at = decided.at;
            decided.answers.into_iter().map(|acquired| Ok((at, acquired))).collect()
        }
        Err(no_reply) => vec![Err(no_reply); batch.len()],
    }
}

impl Request {
    fn new(acquire: Acquire) -> Self {
        let mut parts: SmallVec<[Part; 1]> = SmallVec::new();
        for (number, charge) in acquire.charges.iter().enumerate() {
            let slot = slot_of(&charge.key);
            // A part comes where the last of its policies comes.
            let part = match parts.iter().position(|part| part.slot == slot) {
                Some(earlier) => {
                    let mut part = parts.remove(earlier);
                    part.charges.push(number);
                    part
                }
                None => Part::new(slot, number, false),
            };
            parts.push(part);
        }
        let standings = vec![None; acquire.charges.len()];
        Self { admitted: acquire.count, acquire, parts, next: 0, standings, failed: None }
    }

    /// The next step of this request, which is the one of this index. It is for as many of the identical
    /// requests as the parts before have admitted.
    fn step(&self, request: usize) -> Option<Step> {
        let is_open = self.failed.is_none() && self.next < self.parts.len();
        is_open.then_some(Step { request, part: self.next, count: self.admitted })
    }

    fn part_of(&self, part: &Part, count: u32) -> Acquire {
        let charges = part.charges.iter().map(|it| self.acquire.charges[*it].clone()).collect();
        Acquire { charges, cost: self.acquire.cost, count }
    }

    /// Takes what was decided of the next part.
    fn take(&mut self, decided: PartDecided) {
        let Some(part) = self.parts.get_mut(self.next) else { return };
        match decided {
            Ok((at, acquired)) => {
                (part.charged, part.decided_at) = (acquired.admitted, at);
                self.admitted = acquired.admitted;
                self.set_standings(self.next, acquired);
                self.next += 1;
            }
            Err(NoReply::Scattered) if !part.is_alone => self.scatter(),
            Err(no_reply) => self.failed = Some(no_reply.kind()),
        }
    }

    /// Splits the next part, so that each of its charges is sent in a call of its own.
    fn scatter(&mut self) {
        let part = self.parts.remove(self.next);
        let alone = part.charges.iter().map(|charge| Part::new(part.slot, *charge, true));
        self.parts.insert_many(self.next, alone);
    }

    fn set_standings(&mut self, part: usize, acquired: Acquired) {
        let charges = self.parts[part].charges.iter();
        for (charge, standing) in charges.zip(acquired.standings) {
            self.standings[*charge] = Some(standing);
        }
    }

    /// How many of the identical requests were charged to `part` without being admitted in the end.
    fn overcharged(&self, part: usize) -> u32 {
        let admitted = if self.failed.is_some() { 0 } else { self.admitted };
        self.parts.get(part).map_or(0, |part| part.charged.saturating_sub(admitted))
    }

    /// Learns that some of it could not be given back. If the request failed, it is then decided without
    /// this store, and what is admitted there must not be charged here a second time.
    fn stays_charged(&mut self) {
        if let Some(failed) = &mut self.failed {
            *failed = StoreErrorKind::Refused;
        }
    }

    /// The refunds of this request, which is the one of this index, and their slots.
    fn refunds(&self, request: usize) -> impl Iterator<Item = (usize, u16, Refund)> {
        self.parts.iter().enumerate().flat_map(move |(number, part)| {
            let count = u64::from(self.overcharged(number));
            let amount = count.saturating_mul(self.acquire.cost.units());
            let refund = move |charge: &usize| Refund {
                charge: self.acquire.charges[*charge].clone(),
                amount,
                charged_at: part.decided_at,
            };
            let charges = part.charges.iter().filter(move |_| amount > 0);
            charges.map(move |charge| (request, part.slot, refund(charge)))
        })
    }

    fn answer(self) -> Result<Acquired, StoreErrorKind> {
        if let Some(kind) = self.failed {
            return Err(kind);
        }
        let standings = self.standings.into_iter().collect::<Option<_>>();
        let standings = standings.ok_or(StoreErrorKind::Refused)?;
        Ok(Acquired { admitted: self.admitted, standings })
    }
}

impl Part {
    fn new(slot: u16, charge: usize, is_alone: bool) -> Self {
        let charges = SmallVec::from_slice(&[charge]);
        Self { slot, charges, is_alone, charged: 0, decided_at: 0 }
    }
}
