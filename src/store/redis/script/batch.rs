//! The requests of one script call, grouped and coalesced.

use std::collections::HashMap;
use std::sync::Arc;

use self::position::Position;
use super::reply::{CoalescedAnswer, Reply};
use crate::domain::clock::Millis;
use crate::domain::slot::SlotId;
use crate::store::{
    Acquire, Acquired, BuildFingerprintHasher, Charge, Fingerprint, Key, PenaltyKey, StoreError,
    StoreErrorKind, Trial, new_slots,
};

mod position;

/// How many requests one script call decides at most. Redis serves nobody else meanwhile.
pub(crate) const MAX_BATCH: usize = 128;

/// Requests in groups that meet the same policies at the same costs.
///
/// Requests of a group for the same keys are coalesced into one, which Redis decides once. The answers
/// are as if the requests had come one after another.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In the order of arrival.
    requests: Vec<Acquire>,
    /// Where the answer to each of them will be, in the same order.
    positions: Vec<Position>,
    groups: Vec<PolicyGroup>,
}

/// Coalesced requests that meet the same policies at the same costs.
#[derive(Debug)]
struct PolicyGroup {
    /// The index of the first request in the group. The others have the same policies and costs.
    first: usize,
    coalesced: Vec<Coalesced>,
    /// The order in which they are sent. It is by count, so that each count is sent only once.
    order: Vec<usize>,
}

/// Requests for the same keys, as one.
#[derive(Debug)]
struct Coalesced {
    /// The index of the first of these requests. The others have the same keys.
    first: usize,
    callers: u32,
    count: u32,
    /// The first of the slots that these requests may take; `None` if they take none.
    first_slot: Option<SlotId>,
}

/// Coalesced requests of one group that stand for the same number of requests each.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    batch: &'a Batch,
    group: &'a PolicyGroup,
    coalesced: &'a [usize],
}

/// What a reply says.
#[derive(Debug)]
pub(crate) struct Decided {
    /// When all requests were decided, by the server's clock.
    pub(crate) at: Millis,
    /// The answer to each request, in the order of arrival.
    pub(crate) answers: Vec<Acquired>,
}

impl Batch {
    /// Groups and coalesces `requests`.
    pub(crate) fn of(requests: Vec<Acquire>) -> Self {
        let mut groups: Vec<PolicyGroup> = Vec::new();
        let mut positions: Vec<Position> = Vec::with_capacity(requests.len());
        let mut known: HashMap<Fingerprint, usize, BuildFingerprintHasher> =
            HashMap::with_capacity_and_hasher(requests.len(), BuildFingerprintHasher::default());
        for (number, acquire) in requests.iter().enumerate() {
            let fits = |group: &PolicyGroup| is_alike(&requests[group.first], acquire);
            let group = groups.iter().position(fits).unwrap_or_else(|| {
                groups.push(PolicyGroup {
                    first: number,
                    coalesced: Vec::new(),
                    order: Vec::new(),
                });
                groups.len() - 1
            });
            let of_group = &mut groups[group].coalesced;
            // Keyed with a per-process secret, so that clients cannot construct collisions.
            let fingerprints = keys(acquire).map(Key::fingerprint);
            let fingerprint =
                fingerprints.reduce(Fingerprint::then).unwrap_or_default().with(group as u64);
            let coalesced = *known.entry(fingerprint).or_insert_with(|| {
                of_group.push(Coalesced { first: number, callers: 0, count: 0, first_slot: None });
                of_group.len() - 1
            });
            let before = of_group[coalesced].count;
            of_group[coalesced].count = before.saturating_add(acquire.count);
            of_group[coalesced].callers += 1;
            positions.push(Position { group, coalesced, before });
        }
        for group in &mut groups {
            group.order = (0..group.coalesced.len()).collect();
            group.order.sort_by_key(|coalesced| group.coalesced[*coalesced].count);
            if requests[group.first].is_in_flight() {
                group.name_slots();
            }
        }
        Self { requests, positions, groups }
    }

    /// How many requests it holds.
    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// How many of them are decided as part of an identical one.
    pub(crate) fn coalesced(&self) -> u64 {
        let sent: usize = self.groups.iter().map(|group| group.coalesced.len()).sum();
        (self.requests.len() - sent) as u64
    }

    /// The requests that it was made of.
    pub(crate) fn into_requests(self) -> Vec<Acquire> {
        self.requests
    }

    /// All that Redis is asked, in the order of its reply.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.groups.iter().flat_map(move |group| {
            let count = |coalesced: &usize| group.coalesced[*coalesced].count;
            let runs = group.order.chunk_by(move |one, other| count(one) == count(other));
            runs.map(move |coalesced| Run { batch: self, group, coalesced })
        })
    }

    /// The answer to each request, in the order of arrival, if the script replied with `reply`.
    pub(crate) fn answers(
        &self,
        reply: Result<Vec<u8>, StoreError>,
    ) -> Vec<Result<Acquired, StoreErrorKind>> {
        match reply.and_then(|reply| self.decode(&reply)) {
            Ok(decided) => decided.answers.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.kind()); self.len()],
        }
    }

    /// Reads the script's reply.
    ///
    /// # Errors
    /// When it is not a reply to this batch.
    pub(crate) fn decode(&self, reply: &[u8]) -> Result<Decided, StoreError> {
        self.read(reply).ok_or_else(|| {
            StoreError::caused_by(StoreErrorKind::Refused, "the reply does not fit the batch")
        })
    }

    fn read(&self, reply: &[u8]) -> Option<Decided> {
        let mut reply = Reply::new(reply)?;
        let at = reply.decided_at()?;
        let mut replied: Vec<Vec<Option<CoalescedAnswer>>> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let asked = &self.requests[group.first];
            let mut of_group = vec![None; group.coalesced.len()];
            for coalesced in &group.order {
                let count = group.coalesced[*coalesced].count;
                of_group[*coalesced] = Some(reply.answer(asked, count)?);
            }
            replied.push(of_group);
        }
        reply.end()?;
        let answer = |(position, asked): (&Position, &Acquire)| {
            let answer = &mut replied[position.group][position.coalesced];
            let coalesced = &self.groups[position.group].coalesced[position.coalesced];
            let mut acquired = match coalesced.callers {
                1 => answer.take()?.acquired,
                _ => position.share(answer.as_ref()?, asked),
            };
            let slots = coalesced.first_slot.map(|first| first.after(position.before.into()));
            acquired.slots.extend(slots);
            Some(acquired)
        };
        let answers = self.positions.iter().zip(&self.requests).map(answer);
        let answers = answers.map(|answer| Some(answer?.decided_at(at)));
        Some(Decided { at, answers: answers.collect::<Option<_>>()? })
    }
}

impl PolicyGroup {
    /// Names the slots that its requests may take, one after another in the order in which they are sent.
    #[cold]
    fn name_slots(&mut self) {
        let counts = self.coalesced.iter().map(|coalesced| u64::from(coalesced.count));
        let mut next = new_slots(counts.sum());
        for index in &self.order {
            let coalesced = &mut self.coalesced[*index];
            coalesced.first_slot = Some(next);
            next = next.after(coalesced.count.into());
        }
    }
}

impl Run<'_> {
    /// The first slot that its requests may take; `None` if they take none.
    pub(crate) fn first_slot(&self) -> Option<SlotId> {
        self.coalesced.first().and_then(|index| self.group.coalesced[*index].first_slot)
    }

    /// The policies, each with what the request uses of it. The keys are those of the first request.
    pub(crate) fn charges(&self) -> &[Charge] {
        &self.first().charges
    }

    /// How many identical requests each coalesced one stands for.
    pub(crate) fn count(&self) -> u32 {
        self.coalesced.first().map_or(0, |coalesced| self.group.coalesced[*coalesced].count)
    }

    /// The policies that are tried out beside those.
    pub(crate) fn trials(&self) -> &[Trial] {
        &self.first().trials
    }

    /// The penalties of those policies that have one.
    pub(crate) fn penalties(&self) -> &[PenaltyKey] {
        &self.first().penalties
    }

    /// The keys of each coalesced request, one for each policy, then for each policy of each trial, then for each penalty.
    pub(crate) fn requests(&self) -> impl ExactSizeIterator<Item = impl Iterator<Item = &Key>> {
        let first =
            |coalesced: &usize| &self.batch.requests[self.group.coalesced[*coalesced].first];
        self.coalesced.iter().map(move |coalesced| keys(first(coalesced)))
    }

    fn first(&self) -> &Acquire {
        &self.batch.requests[self.group.first]
    }
}

/// Whether two requests meet the same policies at the same costs.
fn is_alike(one: &Acquire, other: &Acquire) -> bool {
    let same = |(one, other): (&Charge, &Charge)| {
        one.cost == other.cost
            && (Arc::ptr_eq(&one.policy, &other.policy) || one.policy == other.policy)
    };
    let same_trial = |(one, other): (&Trial, &Trial)| {
        one.replaces == other.replaces
            && one.further.len() == other.further.len()
            && one.charges().zip(other.charges()).all(same)
    };
    let same_penalty = |(one, other): (&PenaltyKey, &PenaltyKey)| {
        (&one.charges, one.penalty) == (&other.charges, other.penalty)
    };
    one.charges.len() == other.charges.len()
        && one.trials.len() == other.trials.len()
        && one.charges.iter().zip(&other.charges).all(same)
        && one.trials.iter().zip(&other.trials).all(same_trial)
        && one.penalties.len() == other.penalties.len()
        && one.penalties.iter().zip(&other.penalties).all(same_penalty)
}

/// The keys of a request: one for each charge, then one for each charge of each trial, then one for each penalty.
fn keys(acquire: &Acquire) -> impl Iterator<Item = &Key> {
    let tried = acquire.trials.iter().flat_map(Trial::charges);
    let of_penalties = acquire.penalties.iter().map(|penalty| &penalty.key);
    acquire.charges.iter().chain(tried).map(|charge| &charge.key).chain(of_penalties)
}

#[cfg(test)]
mod tests;
