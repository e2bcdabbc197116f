use std::iter;
use std::ops::Range;
use std::sync::Arc;

use super::answered::Acquired;
use super::keyspace::Key;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::penalty::Penalty;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::{Retry, Standing};

/// What [`Store::acquire`](super::Store::acquire) is asked: to decide on `count` identical requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Acquire {
    /// The policies that each request meets, with the key that each policy counts by.
    pub charges: Vec<Charge>,
    /// How many requests there are; 0 decides on one and charges nothing.
    pub count: u32,
    /// Policies that are tried out beside the charges. There are none if `count` is 0.
    pub trials: Vec<Trial>,
    /// The penalties of the policies that have one, in the order of the charges.
    pub penalties: Vec<PenaltyKey>,
}

impl Acquire {
    /// Asks for `count` requests under `charges`.
    #[must_use]
    pub fn new(charges: Vec<Charge>, count: u32) -> Self {
        Self { charges, count, trials: Vec::new(), penalties: Vec::new() }
    }

    /// The same, with every charge and every trial at `cost`.
    #[must_use]
    pub fn at_cost(mut self, cost: Cost) -> Self {
        let tried = self.trials.iter_mut().flat_map(Trial::charges_mut);
        let all = self.charges.iter_mut().chain(tried);
        all.filter(|charge| !charge.is_in_flight()).for_each(|charge| charge.cost = cost);
        self
    }

    /// The same, with a policy that is tried out.
    #[must_use]
    pub fn with_trial(mut self, trial: Trial) -> Self {
        self.trials.push(trial);
        self
    }

    /// Whether any of its charges or trials counts requests under way.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.charges.iter().any(Charge::is_in_flight) || self.tried().any(Charge::is_in_flight)
    }

    /// The charges of all trials, one after another.
    pub(crate) fn tried(&self) -> impl Iterator<Item = &Charge> {
        self.trials.iter().flat_map(Trial::charges)
    }

    /// The same question about the charges of these indices alone, for `count` requests, without trials.
    pub(crate) fn part(&self, charges: &[usize], count: u32) -> Self {
        let of_part = charges.iter().map(|index| self.charges[*index].clone()).collect();
        let penalties = self.penalties.iter().filter_map(|it| {
            let first = charges.iter().position(|index| it.charges.contains(index))?;
            let of_penalty =
                charges[first..].iter().take_while(|index| it.charges.contains(*index));
            Some(PenaltyKey { charges: first..first + of_penalty.count(), ..it.clone() })
        });
        Self { penalties: penalties.collect(), ..Self::new(of_part, count) }
    }

    /// The same, with the next penalty.
    #[must_use]
    pub fn with_penalty(mut self, penalty: PenaltyKey) -> Self {
        self.penalties.push(penalty);
        self
    }
}

/// The penalty of one policy of a request, and the key that holds what is known of the client's denials by it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PenaltyKey {
    /// The indices of the policy among the charges: of more than one if it has several quotas. A request that any of them
    /// denies is one denial.
    pub charges: Range<usize>,
    /// When it bans the client.
    pub penalty: Penalty,
    /// The key.
    pub key: Key,
}

impl PenaltyKey {
    /// The penalty of the policy of the charges at the indices `charges`, whose state is at `key`.
    #[must_use]
    pub fn new(charges: Range<usize>, penalty: Penalty, key: Key) -> Self {
        Self { charges, penalty, key }
    }

    /// Whether its policy denies one more request, if the charges stand at `standings`.
    pub(crate) fn denies(&self, standings: &[Standing]) -> bool {
        let of_policy = standings.get(self.charges.clone()).unwrap_or_default();
        of_policy.iter().any(|standing| standing.retry != Retry::Now)
    }
}

/// One policy of a request, the key that holds its state, and what the request uses of the quota.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charge {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The key.
    pub key: Key,
    /// The units of the quota that each request uses.
    pub cost: Cost,
}

impl Charge {
    /// A charge of one unit to `key` under `policy`.
    #[must_use]
    pub fn new(policy: Arc<Policy>, key: Key) -> Self {
        Self { policy, key, cost: Cost::ONE }
    }

    /// The same, of `cost`. A request under way holds one slot, whatever it costs elsewhere.
    #[must_use]
    pub fn with_cost(self, cost: Cost) -> Self {
        if self.is_in_flight() { self } else { Self { cost, ..self } }
    }

    /// Whether it counts requests under way.
    pub(crate) fn is_in_flight(&self) -> bool {
        self.policy.algorithm() == Algorithm::InFlight
    }
}

/// A policy that is decided and charged beside the others of a request, and that refuses nothing.
///
/// It admits a request that the others admit and that fits under it. If it is tried out in place of another
/// policy, that one does not count: then it may admit a request that only that policy denies. Each trial is
/// decided by itself, and is charged what it admits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Trial {
    /// The policy, and the key that it counts by.
    pub charge: Charge,
    /// The further quotas of the policy, if it has several: it admits what all of them admit.
    pub further: Vec<Charge>,
    /// The indices of the charges in whose place it is tried out; `None` if it is tried out beside all of them.
    pub replaces: Option<Range<usize>>,
}

impl Trial {
    /// A trial of `charge`, in place of the charges at the indices `replaces` if they are given.
    #[must_use]
    pub fn new(charge: Charge, replaces: Option<Range<usize>>) -> Self {
        Self { charge, further: Vec::new(), replaces }
    }

    /// The same, with one more quota of the same policy.
    #[must_use]
    pub fn with_further(mut self, charge: Charge) -> Self {
        self.further.push(charge);
        self
    }

    /// Its charges, one for each quota of the policy.
    pub fn charges(&self) -> impl Iterator<Item = &Charge> {
        iter::once(&self.charge).chain(&self.further)
    }

    pub(crate) fn charges_mut(&mut self) -> impl Iterator<Item = &mut Charge> {
        iter::once(&mut self.charge).chain(&mut self.further)
    }

    /// How many of the requests of `asked` it may admit by what its charges decided, if so many fit under it.
    #[must_use]
    pub fn most_admitted(&self, asked: &Acquire, acquired: &Acquired) -> u32 {
        let Some(replaced) = &self.replaces else { return acquired.admitted };
        // If all others have room for one more, only the policy that is replaced denies.
        let others = acquired.standings.iter().enumerate();
        let mut others = others.filter(|(index, _)| !replaced.contains(index));
        let have_room = others.all(|(_, standing)| standing.retry == Retry::Now);
        if have_room { acquired.decided(asked.count) } else { acquired.admitted }
    }
}

/// A charge that is to be given back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Refund {
    /// The charge. Its cost is all that is to be given back.
    pub charge: Charge,
    /// When it was charged, by the store's clock. If it is `None`, what was charged last is given back.
    pub charged_at: Option<Millis>,
    /// The key of a mark, which is in the same slot. If it is there, nothing is given back; otherwise it is set, and
    /// kept for as long as the charge may still count.
    pub once: Option<Key>,
}

impl Refund {
    /// Gives back what was charged last to the key of `charge`, as much as it costs.
    #[must_use]
    pub fn new(charge: Charge) -> Self {
        Self { charge, charged_at: None, once: None }
    }

    /// The same, of what was charged at this time by the store's clock.
    #[must_use]
    pub fn charged_at(self, at: Millis) -> Self {
        Self { charged_at: Some(at), ..self }
    }

    /// The same, unless the mark at `key` says that it was done before.
    #[must_use]
    pub fn once(self, key: Key) -> Self {
        Self { once: Some(key), ..self }
    }
}
