//! A request whose keys live in several slots, and how far it is decided.

use smallvec::{SmallVec, smallvec};

use super::call::NoReply;
use super::slots::slot_of;
use crate::domain::clock::Millis;
use crate::domain::quota::Cost;
use crate::domain::slot::SlotId;
use crate::domain::standing::Standing;
use crate::store::{
    Acquire, Acquired, Ban, PenaltyKey, Refund, Slot, StoreErrorKind, Trial, TrialAnswer,
};

#[derive(Debug)]
pub(super) struct RoutedRequest {
    pub(super) acquire: Acquire,
    pub(super) parts: SmallVec<[Part; 1]>,
    /// The index of the part that is to be decided next.
    pub(super) next: usize,
    /// How many of the identical requests all parts so far have admitted.
    pub(super) admitted: u32,
    pub(super) standings: Vec<Option<Standing>>,
    /// The answers to its trials, once they are decided.
    pub(super) trials: Vec<TrialAnswer>,
    /// The ban of its client, by the penalty of any part.
    pub(super) ban: Option<Ban>,
    /// The first slot of each charge and then of each trial, once it is decided; empty if none takes any.
    pub(super) slots: Vec<SlotId>,
    pub(super) failed: Option<StoreErrorKind>,
}

/// The charges of a request that are decided in one call.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) slot: u16,
    pub(super) charges: SmallVec<[usize; 2]>,
    /// Whether it is sent in a call of its own, because its slot is moving.
    pub(super) is_alone: bool,
    /// How many of the identical requests were charged to it.
    pub(super) charged: u32,
    /// When that was, by the clock of its node.
    pub(super) decided_at: Millis,
}

/// A part of a request that is sent next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) request: usize,
    pub(super) part: usize,
    /// How many of the identical requests it is sent for; 0 only asks where it stands.
    pub(super) count: u32,
}

/// When a part was decided, and how; or why it was not.
pub(super) type PartDecided = Result<(Millis, Acquired), NoReply>;

impl RoutedRequest {
    pub(super) fn new(acquire: Acquire) -> Self {
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
        let mut slots = Vec::new();
        if acquire.is_in_flight() {
            slots.resize(acquire.charges.len() + acquire.tried().count(), SlotId::default());
        }
        Self {
            admitted: acquire.count,
            acquire,
            parts,
            next: 0,
            standings,
            trials: Vec::new(),
            ban: None,
            slots,
            failed: None,
        }
    }

    /// The next step of this request, which is the one of this index. It is for as many of the identical
    /// requests as the parts before have admitted.
    pub(super) fn step(&self, request: usize) -> Option<Step> {
        let is_open = self.failed.is_none() && self.next < self.parts.len();
        is_open.then_some(Step { request, part: self.next, count: self.admitted })
    }

    pub(super) fn part_of(&self, part: &Part, count: u32) -> Acquire {
        let mut acquire = self.acquire.part(&part.charges, count);
        if part.is_alone {
            // Its keys may be on two nodes until the slot has moved.
            acquire.penalties.clear();
        }
        if self.is_in_one_slot(part) && count > 0 {
            acquire.trials.clone_from(&self.acquire.trials);
        }
        acquire
    }

    /// Whether `part` is the whole request, and its trials are in the same slot.
    pub(super) fn is_in_one_slot(&self, part: &Part) -> bool {
        let mut trials = self.acquire.trials.iter();
        self.parts.len() == 1
            && !part.is_alone
            && trials.all(|trial| slot_of(&trial.charge.key) == part.slot)
    }

    /// What the charges decided, if there are trials that are not decided yet.
    pub(super) fn untried(&self) -> Option<Acquired> {
        let is_untried = self.failed.is_none() && self.trials.len() < self.acquire.trials.len();
        let standings = self.standings.iter().copied().collect::<Option<_>>();
        let decided =
            |standings| Acquired { ban: self.ban, ..Acquired::new(self.admitted, standings) };
        is_untried.then(|| standings.map(decided)).flatten()
    }

    /// Takes what was decided of the next part.
    pub(super) fn take(&mut self, decided: PartDecided) {
        let Some(part) = self.parts.get_mut(self.next) else { return };
        match decided {
            Ok((at, acquired)) => {
                (part.charged, part.decided_at) = (acquired.admitted, at);
                self.admitted = acquired.admitted;
                self.trials.clone_from(&acquired.trials);
                if let Some(slot) = acquired.slot(0) {
                    let trials = self.acquire.charges.len()..self.slots.len();
                    let decided = if acquired.trials.is_empty() { 0..0 } else { trials };
                    for index in part.charges.iter().copied().chain(decided) {
                        self.slots[index] = slot;
                    }
                }
                let of_part = acquired.ban.and_then(|ban| banned_by(&self.acquire, part, ban));
                self.ban = self.ban.into_iter().chain(of_part).reduce(both);
                self.set_standings(self.next, acquired);
                self.next += 1;
            }
            Err(NoReply::Scattered) if !part.is_alone => self.scatter(),
            Err(no_reply) => self.failed = Some(no_reply.kind()),
        }
    }

    /// Splits the next part, so that each of its charges is sent in a call of its own.
    pub(super) fn scatter(&mut self) {
        let part = self.parts.remove(self.next);
        let alone = part.charges.iter().map(|charge| Part::new(part.slot, *charge, true));
        self.parts.insert_many(self.next, alone);
    }

    pub(super) fn set_standings(&mut self, part: usize, acquired: Acquired) {
        let charges = self.parts[part].charges.iter();
        for (charge, standing) in charges.zip(acquired.standings) {
            self.standings[*charge] = Some(standing);
        }
    }

    /// How many of the identical requests were charged to `part` without being admitted in the end.
    pub(super) fn overcharged(&self, part: usize) -> u32 {
        let admitted = if self.failed.is_some() { 0 } else { self.admitted };
        self.parts.get(part).map_or(0, |part| part.charged.saturating_sub(admitted))
    }

    /// Learns that some of it could not be given back. If the request failed, it is then decided without
    /// this store, and what is admitted there must not be charged here a second time.
    pub(super) fn stays_charged(&mut self) {
        if let Some(failed) = &mut self.failed {
            *failed = StoreErrorKind::Refused;
        }
    }

    /// The refunds of this request, which is the one of this index, and their slots.
    pub(super) fn refunds(&self, request: usize) -> impl Iterator<Item = (usize, u16, Refund)> {
        self.parts.iter().enumerate().flat_map(move |(number, part)| {
            let count = u64::from(self.overcharged(number));
            let refund = move |charge: &usize| {
                let charge = self.acquire.charges[*charge].clone();
                if charge.is_in_flight() {
                    return None;
                }
                // It was charged, so it is no more than a quota.
                let units = Cost::new(count.saturating_mul(charge.cost.units()))?;
                Some(Refund::new(charge.with_cost(units)).charged_at(part.decided_at))
            };
            let refunds = part.charges.iter().filter_map(refund);
            refunds.map(move |refund| (request, part.slot, refund))
        })
    }

    /// Takes the slots that the next trial took.
    pub(super) fn take_slots_of_trial(&mut self, taken: Vec<SlotId>) {
        let before = self.acquire.trials[..self.trials.len()].iter();
        let from = self.acquire.charges.len() + before.flat_map(Trial::charges).count();
        let places = self.slots.iter_mut().skip(from);
        places.zip(taken).for_each(|(place, slot)| *place = slot);
    }

    /// The slots that requests took without being admitted in the end, each with the slot of the cluster that it is in.
    pub(super) fn unused_slots(&self) -> Vec<(u16, Slot)> {
        let mut unused = Vec::new();
        for (number, part) in self.parts.iter().enumerate() {
            let admitted = part.charged - self.overcharged(number);
            for index in &part.charges {
                let charge = &self.acquire.charges[*index];
                let first = self.slots.get(*index).filter(|_| charge.is_in_flight());
                for (number, first) in (admitted..part.charged).zip(first.into_iter().cycle()) {
                    let id = first.after(number.into());
                    unused.push((part.slot, Slot::new(charge.clone(), id)));
                }
            }
        }
        unused
    }

    pub(super) fn answer(self) -> Result<Acquired, StoreErrorKind> {
        if let Some(kind) = self.failed {
            return Err(kind);
        }
        let standings = self.standings.into_iter().collect::<Option<_>>();
        let standings = standings.ok_or(StoreErrorKind::Refused)?;
        let mut decided_at: SmallVec<[Millis; 1]> = smallvec![0; self.acquire.charges.len()];
        for part in &self.parts {
            part.charges.iter().for_each(|charge| decided_at[*charge] = part.decided_at);
        }
        if decided_at.iter().all(|at| *at == decided_at[0]) {
            decided_at.truncate(1);
        }
        let Self { admitted, mut trials, ban, slots, .. } = self;
        for trial in &mut trials {
            trial.decided_at = trial.decided_at.filter(|at| decided_at.first() != Some(at));
        }
        Ok(Acquired { admitted, standings, decided_at, trials, ban, slots })
    }
}

/// The `ban` that was answered about `part`, as one of the whole request.
fn banned_by(acquire: &Acquire, part: &Part, ban: Ban) -> Option<Ban> {
    let all = acquire.penalties.iter().enumerate();
    let is_of_part =
        |it: &PenaltyKey| part.charges.iter().any(|charge| it.charges.contains(charge));
    let mut of_part = all.filter(|(_, it)| is_of_part(it));
    let (penalty, _) = of_part.nth(ban.penalty)?;
    Some(Ban { penalty, ..ban })
}

/// The ban of a client that two penalties ban.
fn both(one: Ban, other: Ban) -> Ban {
    let longer = if other.lasts > one.lasts { other } else { one };
    Ban { decided: one.decided.min(other.decided), ..longer }
}

impl Part {
    pub(super) fn new(slot: u16, charge: usize, is_alone: bool) -> Self {
        let charges = SmallVec::from_slice(&[charge]);
        Self { slot, charges, is_alone, charged: 0, decided_at: 0 }
    }
}
