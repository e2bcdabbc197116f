//! How requests are decided whose keys live in several slots: one slot after another, in the order of
//! their policies. What was charged on the way to a denial is given back. The last policy is decided
//! last, whatever slots the others are in, and so it is never given back.

use std::collections::HashMap;

use redis::FromRedisValue as _;
use smallvec::SmallVec;

use super::Cluster;
use super::call::{Call, Failure, What, Whom};
use super::exchange::exchange;
use super::map::slot_of;
use crate::domain::clock::Millis;
use crate::domain::standing::Standing;
use crate::store::redis::script::Refund;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::reply::Reply;
use crate::store::{Acquire, Acquired, Key, StoreErrorKind};

/// Requests on their way.
pub(super) struct Plan {
    requests: Vec<Request>,
    whom: Whom,
}

#[derive(Debug)]
struct Request {
    acquire: Acquire,
    parts: SmallVec<[Part; 1]>,
    /// The part that is to be decided next.
    at: usize,
    /// How many of the identical requests all parts have admitted so far.
    admitted: u32,
    standings: Vec<Option<Standing>>,
    failed: Option<StoreErrorKind>,
}

/// The charges of a request that are decided together.
#[derive(Debug)]
struct Part {
    slot: u16,
    charges: SmallVec<[usize; 2]>,
    /// Whether it is sent by itself, since its slot is moving.
    is_alone: bool,
    /// How many were charged to it, and when, by its node's clock.
    charged: u32,
    decided_at: Millis,
}

/// A part of a request, and for how many of the request it is asked: for none, how it stands.
#[derive(Clone, Copy, Debug)]
struct Step {
    request: usize,
    part: usize,
    count: u32,
}

/// What is sent as one call: a slot, and in one that is moving a key.
type Bundle<'a> = (u16, Option<&'a Key>);

impl Plan {
    pub(super) fn of(asked: Vec<Acquire>, whom: Whom) -> Self {
        Self { requests: asked.into_iter().map(Request::new).collect(), whom }
    }

    /// What is decided of each request, in their order.
    pub(super) fn run(mut self, cluster: &Cluster) -> Vec<Result<Acquired, StoreErrorKind>> {
        while self.decide_next(cluster) {}
        self.give_back(cluster);
        self.requests.into_iter().map(Request::end).collect()
    }

    /// Decides the next part of every request that has one; whether there was any.
    fn decide_next(&mut self, cluster: &Cluster) -> bool {
        let open: Vec<Step> =
            self.requests.iter().enumerate().filter_map(|(it, request)| request.step(it)).collect();
        for (step, answer) in self.ask(cluster, &open) {
            self.requests[step.request].take(answer);
        }
        !open.is_empty()
    }

    /// Asks for `steps`, as one call for each bundle of them; what each is answered.
    fn ask(&self, cluster: &Cluster, steps: &[Step]) -> Vec<(Step, Answer)> {
        let mut bundles: HashMap<Bundle<'_>, (Vec<Step>, Vec<Acquire>)> = HashMap::new();
        for step in steps {
            let request = &self.requests[step.request];
            let part = &request.parts[step.part];
            let key = part.charges.first().filter(|_| part.is_alone);
            let key = key.map(|charge| &request.acquire.charges[*charge].key);
            let (steps, asked) = bundles.entry((part.slot, key)).or_default();
            steps.push(*step);
            asked.push(request.part_of(part, step.count));
        }
        let (mut bundled, mut batches) = (Vec::new(), Vec::new());
        for ((slot, _), (steps, asked)) in bundles {
            bundled.push(steps);
            batches.push((slot, Batch::of(asked)));
        }
        let calls: Vec<Call<'_>> = batches
            .iter()
            .map(|(slot, batch)| Call { slot: *slot, what: What::Acquire(batch) })
            .collect();
        let replies = exchange(cluster, &calls, self.whom).into_iter();
        let answers = replies.zip(&batches).flat_map(|(reply, (_, batch))| answers(batch, reply));
        bundled.into_iter().flatten().zip(answers).collect()
    }

    /// Gives back what was charged in vain, and reads anew where that leaves the keys.
    fn give_back(&mut self, cluster: &Cluster) {
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
            .map(|(_, slot, refund)| Call { slot: *slot, what: What::Refund(refund) })
            .collect();
        let replies = exchange(cluster, &calls, self.whom);
        for (reply, (request, _, refund)) in replies.into_iter().zip(&refunds) {
            if let Err(failure) = reply {
                cluster.not_given_back(refund, failure.kind());
                self.requests[*request].stays_charged();
            }
        }
        let kept = self.requests.iter().enumerate().filter(|(_, it)| it.failed.is_none());
        let steps = kept.flat_map(|(number, request)| {
            let owed = (0..request.parts.len()).filter(|part| request.owed(*part) > 0);
            owed.map(move |part| Step { request: number, part, count: 0 })
        });
        let steps: Vec<Step> = steps.collect();
        for (step, answer) in self.ask(cluster, &steps) {
            if let Ok((_, acquired)) = answer {
                self.requests[step.request].stand(step.part, acquired);
            }
        }
    }
}

/// When a part was decided, and how; or why it was not.
type Answer = Result<(Millis, Acquired), Failure>;

/// What each of those in `batch` is answered.
fn answers(batch: &Batch, reply: Result<redis::Value, Failure>) -> Vec<Answer> {
    let refused = Failure::Store(StoreErrorKind::Refused);
    let read = reply.and_then(|reply| {
        let reply = Vec::<u8>::from_redis_value(reply).map_err(|_| refused)?;
        let at = Reply::new(&reply).and_then(|mut it| it.decided_at()).ok_or(refused)?;
        let answers = batch.answers(&reply).ok_or(refused)?;
        Ok(answers.into_iter().map(|answer| Ok((at, answer))).collect())
    });
    read.unwrap_or_else(|failure| vec![Err(failure); batch.len()])
}

impl Request {
    fn new(acquire: Acquire) -> Self {
        let mut parts: SmallVec<[Part; 1]> = SmallVec::new();
        for (number, charge) in acquire.charges.iter().enumerate() {
            let slot = slot_of(&charge.key);
            // The turn of a slot is that of its last policy.
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
        Self { admitted: acquire.count, acquire, parts, at: 0, standings, failed: None }
    }

    /// What is to be asked next: as many as the parts before admit.
    fn step(&self, request: usize) -> Option<Step> {
        let is_open = self.failed.is_none() && self.at < self.parts.len();
        is_open.then_some(Step { request, part: self.at, count: self.admitted })
    }

    fn part_of(&self, part: &Part, count: u32) -> Acquire {
        let charges = part.charges.iter().map(|it| self.acquire.charges[*it].clone()).collect();
        Acquire { charges, cost: self.acquire.cost, count }
    }

    /// Takes what was answered to it.
    fn take(&mut self, answer: Answer) {
        let Some(part) = self.parts.get_mut(self.at) else { return };
        match answer {
            Ok((at, acquired)) => {
                (part.charged, part.decided_at) = (acquired.admitted, at);
                self.admitted = acquired.admitted;
                self.stand(self.at, acquired);
                self.at += 1;
            }
            Err(Failure::Scattered) if !part.is_alone => self.scatter(),
            Err(failure) => self.failed = Some(failure.kind()),
        }
    }

    /// Makes a part of every charge of the next one.
    fn scatter(&mut self) {
        let part = self.parts.remove(self.at);
        let alone = part.charges.iter().map(|charge| Part::new(part.slot, *charge, true));
        self.parts.insert_many(self.at, alone);
    }

    fn stand(&mut self, part: usize, acquired: Acquired) {
        let charges = self.parts[part].charges.iter();
        for (charge, standing) in charges.zip(acquired.standings) {
            self.standings[*charge] = Some(standing);
        }
    }

    /// How many requests were charged to `part` in vain.
    fn owed(&self, part: usize) -> u32 {
        let admitted = if self.failed.is_some() { 0 } else { self.admitted };
        self.parts.get(part).map_or(0, |part| part.charged.saturating_sub(admitted))
    }

    /// Not all that was charged could be given back: where no quota has admitted it, what admits it
    /// instead must not owe that once more.
    fn stays_charged(&mut self) {
        if let Some(failed) = &mut self.failed {
            *failed = StoreErrorKind::Refused;
        }
    }

    /// What is to be given back of it, as the request at `place`, and in which slots.
    fn refunds(&self, place: usize) -> impl Iterator<Item = (usize, u16, Refund)> {
        self.parts.iter().enumerate().flat_map(move |(number, part)| {
            let amount = u64::from(self.owed(number)).saturating_mul(self.acquire.cost.units());
            let refund = move |charge: &usize| Refund {
                charge: self.acquire.charges[*charge].clone(),
                amount,
                charged_at: part.decided_at,
            };
            let owed = part.charges.iter().filter(move |_| amount > 0);
            owed.map(move |charge| (place, part.slot, refund(charge)))
        })
    }

    fn end(self) -> Result<Acquired, StoreErrorKind> {
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
