//! Routes requests whose keys live in several slots: a call to each slot after another, in the order of
//! the policies.
//!
//! If a later slot denies a request, what the earlier ones were charged is given back. The last policy
//! is decided last, whatever slots the others are in, so that it is never given back.

use std::collections::HashMap;

use redis::{FromRedisValue as _, Value};

use super::call::{Call, NoReply, Nodes, Operation};
use super::exchange::exchange;
use super::routed_request::{PartDecided, RoutedRequest, Step};
use super::state::ClusterState;
use crate::domain::standing::Retry;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::slots::SlotVerb;
use crate::store::{Acquire, Acquired, Key, Refund, Slot, StoreErrorKind, TrialAnswer};

/// Requests that are being decided slot by slot.
pub(super) struct RoutedCalls {
    requests: Vec<RoutedRequest>,
    nodes: Nodes,
}

/// What is sent as one call: all of a slot, or one key of a slot that is moving.
type CallKey<'a> = (u16, Option<&'a Key>);

impl RoutedCalls {
    pub(super) fn of(requests: Vec<Acquire>, nodes: Nodes) -> Self {
        Self { requests: requests.into_iter().map(RoutedRequest::new).collect(), nodes }
    }

    /// Decides all requests, and returns the answers in their order.
    pub(super) fn run(mut self, cluster: &ClusterState) -> Vec<Result<Acquired, StoreErrorKind>> {
        while self.decide_next(cluster) {}
        self.give_back(cluster);
        self.decide_trials(cluster);
        self.requests.into_iter().map(RoutedRequest::answer).collect()
    }

    /// Decides the trials of requests whose keys live in several slots. Each is asked by itself, for as many requests
    /// as it may admit by what the charges decided.
    fn decide_trials(&mut self, cluster: &ClusterState) {
        let mut asked = Vec::new();
        for (number, request) in self.requests.iter().enumerate() {
            let Some(acquired) = request.untried() else { continue };
            for trial in &request.acquire.trials {
                let most = trial.most_admitted(&request.acquire, &acquired);
                let charges = trial.charges().cloned().collect();
                asked.push((number, Acquire::new(charges, most)));
            }
        }
        if asked.is_empty() {
            return;
        }
        let (numbers, asked): (Vec<usize>, Vec<Acquire>) = asked.into_iter().unzip();
        let answers = Self::of(asked, self.nodes).run(cluster);
        for (number, answer) in numbers.into_iter().zip(answers) {
            // A trial that was not decided says nothing against its request.
            let taken = answer.as_ref().ok().map(|acquired| acquired.slots.clone());
            let answer = answer.ok().and_then(|acquired| {
                let retries = acquired.standings.iter().map(|standing| standing.retry);
                let retry = retries.reduce(Retry::later)?;
                let decided_at = acquired.charged_at(0);
                Some(TrialAnswer { decided_at, ..TrialAnswer::new(acquired.admitted, retry) })
            });
            let request = &mut self.requests[number];
            request.take_slots_of_trial(taken.unwrap_or_default());
            let unknown = TrialAnswer::new(request.acquire.count, Retry::Now);
            request.trials.push(answer.unwrap_or(unknown));
        }
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
        let unused: Vec<(u16, Slot)> =
            self.requests.iter().flat_map(RoutedRequest::unused_slots).collect();
        if refunds.is_empty() && unused.is_empty() {
            return;
        }
        let of_refunds = refunds
            .iter()
            .map(|(_, slot, refund)| Call { slot: *slot, operation: Operation::Refund(refund) });
        // A slot that cannot be given back ends by itself.
        let of_slots = unused.iter().map(|(slot, unused)| Call {
            slot: *slot,
            operation: Operation::Slots(SlotVerb::Release, std::slice::from_ref(unused)),
        });
        let calls: Vec<Call<'_>> = of_refunds.chain(of_slots).collect();
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
