//! What goes into one script call: requests that wait together, grouped and coalesced.

use std::collections::HashMap;
use std::sync::Arc;

use super::reply::Reply;
use crate::decision::{Retry, Standing};
use crate::policy::Policy;
use crate::quota::Cost;
use crate::store::{Acquire, Acquired, Key};

/// Requests in groups of those that meet the same policies at the same cost.
///
/// Requests of a group for the same keys are coalesced into one, which Redis decides once; the
/// answers are as if they had come one after another.
#[derive(Debug, Default)]
pub(super) struct Batch {
    groups: Vec<Group>,
    /// Where each request went, by the order of arrival.
    places: Vec<Place>,
}

#[derive(Debug)]
pub(super) struct Group {
    policies: Vec<Arc<Policy>>,
    cost: Cost,
    requests: Vec<Request>,
    index: HashMap<Vec<Key>, usize>,
}

#[derive(Debug)]
pub(super) struct Request {
    keys: Vec<Key>,
    count: u32,
}

#[derive(Debug)]
struct Place {
    group: usize,
    request: usize,
    /// How many of the coalesced requests come before this one's.
    before: u32,
    count: u32,
}

impl Batch {
    /// Adds what one caller asks.
    pub(super) fn push(&mut self, acquire: Acquire) {
        let cost = acquire.cost;
        let (policies, keys): (Vec<_>, Vec<_>) =
            acquire.charges.into_iter().map(|charge| (charge.policy, charge.key)).unzip();
        let group = self.groups.iter().position(|group| group.takes(&policies, cost));
        let group = group.unwrap_or_else(|| {
            self.groups.push(Group { policies, cost, requests: Vec::new(), index: HashMap::new() });
            self.groups.len() - 1
        });
        let (request, before) = self.groups[group].push(keys, acquire.count);
        self.places.push(Place { group, request, before, count: acquire.count });
    }

    pub(super) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Each caller's answer, in the order of arrival, out of the script's reply; `None` where the
    /// reply is not one to this batch.
    pub(super) fn answers(&self, reply: &[i64]) -> Option<Vec<Acquired>> {
        let mut reply = Reply::new(reply);
        let mut answers = Vec::with_capacity(self.groups.len());
        for group in &self.groups {
            let requests = group.requests.iter().map(|_| reply.acquired(group.policies.len()));
            answers.push(requests.collect::<Option<Vec<_>>>()?);
        }
        reply.end()?;
        let share = |place: &Place| {
            let cost = self.groups[place.group].cost;
            place.share(&answers[place.group][place.request], cost)
        };
        Some(self.places.iter().map(share).collect())
    }
}

impl Group {
    pub(super) fn policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    pub(super) fn requests(&self) -> &[Request] {
        &self.requests
    }

    fn takes(&self, policies: &[Arc<Policy>], cost: Cost) -> bool {
        self.cost == cost
            && self.policies.len() == policies.len()
            && self.policies.iter().zip(policies).all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
    }

    /// Adds `count` requests for `keys`; where they are, and how many were there before.
    fn push(&mut self, keys: Vec<Key>, count: u32) -> (usize, u32) {
        let next = self.requests.len();
        let place = *self.index.entry(keys.clone()).or_insert(next);
        if place == next {
            self.requests.push(Request { keys, count });
            return (place, 0);
        }
        let request = &mut self.requests[place];
        let before = request.count;
        request.count = before.saturating_add(count);
        (place, before)
    }
}

impl Request {
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }
}

impl Place {
    /// This caller's part of what the coalesced requests were answered together.
    fn share(&self, together: &Acquired, cost: Cost) -> Acquired {
        let admitted = together.admitted.saturating_sub(self.before).min(self.count);
        // Those admitted after it have not yet used theirs, as seen from here.
        let later = together.admitted.saturating_sub(self.before.saturating_add(admitted));
        let unused = u64::from(if self.count == 0 { 0 } else { later }) * cost.units();
        let standing = |it: &Standing| {
            let remaining = it.remaining + unused;
            let retry = if remaining >= cost.units() { Retry::Now } else { it.retry };
            Standing { remaining, retry, ..*it }
        };
        Acquired { admitted, standings: together.standings.iter().map(standing).collect() }
    }
}

#[cfg(test)]
mod tests;
