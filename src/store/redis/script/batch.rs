//! What goes into one script call: requests that wait together, grouped and coalesced.

use std::collections::HashMap;
use std::iter;
use std::sync::Arc;

use super::reply::{Reply, Together};
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::Standing;
use crate::store::{
    Acquire, Acquired, BuildFingerprintHasher, Charge, Fingerprint, Key, StoreError, StoreErrorKind,
};

/// Requests in groups of those that meet the same policies at the same cost.
///
/// Requests of a group for the same keys are coalesced into one, which Redis decides once; the
/// answers are as if they had come one after another.
#[derive(Debug)]
pub(crate) struct Batch {
    /// In the order of arrival.
    asked: Vec<Acquire>,
    /// Where each of them went.
    places: Vec<Place>,
    groups: Vec<Group>,
}

/// Names what was asked by its index.
#[derive(Debug)]
struct Group {
    /// The first of the group: its policies and its cost are those of all.
    first: usize,
    requests: Vec<Coalesced>,
    /// The requests as they are sent: by count, which Redis is told once for all that have the same.
    order: Vec<usize>,
}

#[derive(Debug)]
struct Coalesced {
    /// The first of those for these keys.
    first: usize,
    callers: u32,
    count: u32,
}

#[derive(Debug)]
struct Place {
    group: usize,
    request: usize,
    /// How many of the coalesced requests come before this one's.
    before: u32,
}

/// Requests under the same policies, at the same cost, each standing for as many.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    batch: &'a Batch,
    group: &'a Group,
    requests: &'a [usize],
}

impl Batch {
    /// What `asked` amounts to.
    pub(crate) fn of(asked: Vec<Acquire>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut places: Vec<Place> = Vec::with_capacity(asked.len());
        let mut coalesced: HashMap<Fingerprint, usize, BuildFingerprintHasher> =
            HashMap::with_capacity_and_hasher(asked.len(), BuildFingerprintHasher::default());
        for (number, acquire) in asked.iter().enumerate() {
            let like = |group: &Group| is_alike(&asked[group.first], acquire);
            let group = groups.iter().position(like).unwrap_or_else(|| {
                groups.push(Group { first: number, requests: Vec::new(), order: Vec::new() });
                groups.len() - 1
            });
            let requests = &mut groups[group].requests;
            // Under a secret of the process: nobody finds two keys of one name.
            let fingerprints = acquire.charges.iter().map(|charge| charge.key.fingerprint());
            let fingerprint =
                fingerprints.reduce(Fingerprint::then).unwrap_or_default().with(group as u64);
            let request = *coalesced.entry(fingerprint).or_insert_with(|| {
                requests.push(Coalesced { first: number, callers: 0, count: 0 });
                requests.len() - 1
            });
            let before = requests[request].count;
            requests[request].count = before.saturating_add(acquire.count);
            requests[request].callers += 1;
            places.push(Place { group, request, before });
        }
        for group in &mut groups {
            group.order = (0..group.requests.len()).collect();
            group.order.sort_by_key(|request| group.requests[*request].count);
        }
        Self { asked, places, groups }
    }

    /// How many callers it answers.
    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    /// What it is made of.
    pub(crate) fn into_asked(self) -> Vec<Acquire> {
        self.asked
    }

    /// All that Redis is asked, in the order of its reply.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        self.groups.iter().flat_map(move |group| {
            let count = |request: &usize| group.requests[*request].count;
            let runs = group.order.chunk_by(move |one, other| count(one) == count(other));
            runs.map(move |requests| Run { batch: self, group, requests })
        })
    }

    /// What each caller is told, in the order of arrival, of what the script replied.
    pub(crate) fn answered(
        &self,
        reply: Result<Vec<u8>, StoreError>,
    ) -> Vec<Result<Acquired, StoreErrorKind>> {
        let answers = reply
            .map_err(|error| error.kind())
            .and_then(|reply| self.answers(&reply).ok_or(StoreErrorKind::Refused));
        match answers {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(kind) => vec![Err(kind); self.len()],
        }
    }

    /// Each caller's answer, in the order of arrival, out of the script's reply; `None` where the
    /// reply is not one to this batch.
    pub(crate) fn answers(&self, reply: &[u8]) -> Option<Vec<Acquired>> {
        let mut reply = Reply::new(reply)?;
        reply.decided_at()?;
        let mut answers: Vec<Vec<Option<Together>>> = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let policies = self.asked[group.first].charges.len();
            let mut of_group = vec![None; group.requests.len()];
            for request in &group.order {
                let count = group.requests[*request].count;
                of_group[*request] = Some(reply.answer(policies, count)?);
            }
            answers.push(of_group);
        }
        reply.end()?;
        let share = |(place, asked): (&Place, &Acquire)| {
            let together = &mut answers[place.group][place.request];
            match self.groups[place.group].requests[place.request].callers {
                1 => together.take().map(|together| together.acquired),
                _ => together.as_ref().map(|together| place.share(together, asked)),
            }
        };
        self.places.iter().zip(&self.asked).map(share).collect()
    }
}

impl Run<'_> {
    pub(crate) fn policies(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.first().charges.iter().map(|charge| &*charge.policy)
    }

    pub(crate) fn cost(&self) -> Cost {
        self.first().cost
    }

    /// How many identical requests each of its requests stands for.
    pub(crate) fn count(&self) -> u32 {
        self.requests.first().map_or(0, |request| self.group.requests[*request].count)
    }

    /// Each request's keys, one for each policy.
    pub(crate) fn requests(
        &self,
    ) -> impl ExactSizeIterator<Item = impl ExactSizeIterator<Item = &Key>> {
        let charges =
            |request: &usize| &self.batch.asked[self.group.requests[*request].first].charges;
        self.requests.iter().map(move |it| charges(it).iter().map(|charge| &charge.key))
    }

    fn first(&self) -> &Acquire {
        &self.batch.asked[self.group.first]
    }
}

fn is_alike(one: &Acquire, other: &Acquire) -> bool {
    let same = |(one, other): (&Charge, &Charge)| {
        Arc::ptr_eq(&one.policy, &other.policy) || one.policy == other.policy
    };
    one.cost == other.cost
        && one.charges.len() == other.charges.len()
        && one.charges.iter().zip(&other.charges).all(same)
}

impl Place {
    /// This caller's part of what the coalesced requests were answered together.
    fn share(&self, together: &Together, asked: &Acquire) -> Acquired {
        let Together { acquired, debts } = together;
        let admitted = acquired.admitted.saturating_sub(self.before).min(asked.count);
        // Those admitted after it have not yet used theirs, as seen from here. A peek comes last.
        let later = acquired.admitted.saturating_sub(self.before.saturating_add(admitted));
        let unused = u64::from(if asked.count == 0 { 0 } else { later }) * asked.cost.units();
        let debts = debts.iter().copied().chain(iter::repeat(0));
        let standing = |((it, debt), charge): ((&Standing, u64), &Charge)| {
            it.before(unused, debt, &charge.policy.terms(), asked.cost)
        };
        let standings = acquired.standings.iter().zip(debts).zip(&asked.charges).map(standing);
        Acquired { admitted, standings: standings.collect() }
    }
}

#[cfg(test)]
mod tests;
