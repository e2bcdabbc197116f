use std::fmt::Debug;
use std::sync::{Arc, Weak};

use smallvec::{SmallVec, smallvec};

use super::answer::Answer;
use super::error::StoreError;
use super::keyspace::Key;
use crate::domain::clock::Millis;
use crate::domain::penalty::Penalty;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::{Retry, Standing};

/// Keeps the state of keys, and decides and charges in one step.
///
/// Every implementation keeps this contract, and the tests check each one against it:
///
/// * [`acquire`](Store::acquire) is atomic: between its reading and its writing, no other call sees or
///   changes any of its keys. A store that cannot do this says so by
///   [`may_give_back`](Store::may_give_back).
/// * As many of the `count` requests are admitted as fit under *every* charge. Each charge is then used up
///   by `admitted` times its cost.
/// * If no request fits, nothing is charged. The store then writes only where a wrong clock has written a
///   state: it writes that state again as of now. A `count` of 0 only reads.
/// * The standings are those right after the charge, in the order of the charges.
/// * A charge that was answered is kept until the quota is whole again. A store of bounded size counts new
///   keys together rather than forget an old one.
/// * A client that a [`PenaltyKey`] of the request says is banned is refused. Nothing is charged or counted then.
///   Otherwise, each policy with a penalty counts the requests that it denies, after the charges. A store may
///   leave penalties out: then nobody is banned.
/// * A [`Trial`] is decided in the same step, after the charges, and never changes what they decide. A store may
///   leave out the answers to trials.
/// * Stores with room for all keys give equal decisions for equal histories.
/// * No call blocks the caller: an [`Answer`] that takes time comes later. If it is an error, the charge may
///   have been made or not; the store never makes it twice.
pub trait Store: Debug + Send + Sync {
    /// Decides and charges.
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired>;

    /// Forgets what was charged to `keys`.
    fn reset(&self, keys: Vec<Key>) -> Answer<()>;

    /// Gives back charges, each in a step of its own, as far as their keys still count them. Answers for each of
    /// `refunds` how much it gave back. A store may leave refunds out: then it gives nothing back.
    fn refund(&self, refunds: Vec<Refund>) -> Answer<Vec<Refunded>> {
        Answer::ready(Ok(vec![Refunded::Given(0); refunds.len()]))
    }

    /// Whether other callers may see a charge that is refunded a moment later.
    ///
    /// This is so if the store decides the keys of a request one after another, in the order of its
    /// charges, and refunds the earlier ones when a later one denies. The last charge is never refunded.
    fn may_give_back(&self) -> bool {
        false
    }

    /// Receives the policies that requests will meet, before the first request: a store of bounded size can
    /// divide its room among them.
    fn prepare(&self, policies: &[Arc<Policy>]) {
        let _ = policies;
    }

    /// Registers `debtor`. The store asks it for its debts each time it is back from an outage, before it
    /// decides again. A store that has no outages asks nobody.
    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        drop(debtor);
    }
}

/// Decides in place of a store during an outage, and owes it what was admitted meanwhile.
pub trait Debtor: Debug + Send + Sync {
    /// Hands out at most `most` of the charges that are owed, each under one policy and each once.
    fn debts(&self, most: usize) -> Vec<Acquire>;

    /// Receives the store's answer to a debt. If the store may have charged it, it is owed no longer.
    fn settled(&self, debt: &Acquire, answer: &Result<Acquired, StoreError>);
}

/// What [`Store::acquire`] is asked: to decide on `count` identical requests.
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
        let tried = self.trials.iter_mut().map(|trial| &mut trial.charge);
        self.charges.iter_mut().chain(tried).for_each(|charge| charge.cost = cost);
        self
    }

    /// The same, with a policy that is tried out.
    #[must_use]
    pub fn with_trial(mut self, trial: Trial) -> Self {
        self.trials.push(trial);
        self
    }

    /// The same question about the charges of these indices alone, for `count` requests, without trials.
    pub(crate) fn part(&self, charges: &[usize], count: u32) -> Self {
        let of_part = charges.iter().map(|index| self.charges[*index].clone()).collect();
        let penalties = self.penalties.iter().filter_map(|it| {
            let charge = charges.iter().position(|index| *index == it.charge)?;
            Some(PenaltyKey { charge, ..it.clone() })
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
    /// The index of the policy among the charges.
    pub charge: usize,
    /// When it bans the client.
    pub penalty: Penalty,
    /// The key.
    pub key: Key,
}

impl PenaltyKey {
    /// The penalty of the policy of the charge at the index `charge`, whose state is at `key`.
    #[must_use]
    pub fn new(charge: usize, penalty: Penalty, key: Key) -> Self {
        Self { charge, penalty, key }
    }
}

/// What a store answers if a client is banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ban {
    /// The index of the penalty, of those that were asked: the one whose ban lasts longest.
    pub penalty: usize,
    /// For how many more milliseconds.
    pub lasts: Millis,
    /// How many of the requests the policies decided before, of which the last one began the ban; 0 if the client was
    /// banned already. The request that begins a ban is refused because of it, as are all after it.
    pub decided: u32,
}

impl Ban {
    /// A ban by the penalty at this index that lasts so long, and began with the last of the `decided` requests.
    #[must_use]
    pub fn new(penalty: usize, lasts: Millis, decided: u32) -> Self {
        Self { penalty, lasts, decided }
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
    /// The index of the charge in whose place it is tried out; `None` if it is tried out beside all of them.
    pub replaces: Option<usize>,
}

impl Trial {
    /// A trial of `charge`, in place of the charge at the index `replaces` if that is given.
    #[must_use]
    pub fn new(charge: Charge, replaces: Option<usize>) -> Self {
        Self { charge, replaces }
    }

    /// How many of the requests of `asked` it may admit by what its charges decided, if so many fit under it.
    #[must_use]
    pub fn most_admitted(&self, asked: &Acquire, acquired: &Acquired) -> u32 {
        let Some(replaced) = self.replaces else { return acquired.admitted };
        // If all others have room for one more, only the policy that is replaced denies.
        let mut others = acquired.standings.iter().enumerate().filter(|(it, _)| *it != replaced);
        let have_room = others.all(|(_, standing)| standing.retry == Retry::Now);
        if have_room { acquired.decided(asked.count) } else { acquired.admitted }
    }
}

/// What a store answers about a [`Trial`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrialAnswer {
    /// How many of the requests it admits.
    pub admitted: u32,
    /// When one more request like those fits under it.
    pub retry: Retry,
}

impl TrialAnswer {
    /// An answer that admits `admitted` requests, after which one more fits at `retry`.
    #[must_use]
    pub fn new(admitted: u32, retry: Retry) -> Self {
        Self { admitted, retry }
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

    /// The same, of `cost`.
    #[must_use]
    pub fn with_cost(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }
}

/// What [`Store::acquire`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acquired {
    /// How many of the requests are admitted.
    pub admitted: u32,
    /// Where each charge stands afterwards, for one more request like those.
    pub standings: Vec<Standing>,
    /// When that was decided: once for all charges, or once for each; empty if the store does not say.
    pub(crate) decided_at: SmallVec<[Millis; 1]>,
    /// The answer to each trial, in the same order; none if trials were not decided.
    pub trials: Vec<TrialAnswer>,
    /// The ban of the client, if it is banned.
    pub ban: Option<Ban>,
}

impl Acquired {
    /// An answer that admits `admitted` requests, after which the charges stand at `standings`.
    #[must_use]
    pub fn new(admitted: u32, standings: Vec<Standing>) -> Self {
        let decided_at = SmallVec::new();
        Self { admitted, standings, decided_at, trials: Vec::new(), ban: None }
    }

    /// The same, decided at `now` by the store's clock. Only such charges can be given back.
    #[must_use]
    pub fn decided_at(self, now: Millis) -> Self {
        Self { decided_at: smallvec![now], ..self }
    }

    /// When the charge at the index `charge` was made, by the store's clock; `None` if the store does not say.
    pub(crate) fn charged_at(&self, charge: usize) -> Option<Millis> {
        self.decided_at.get(charge).or(self.decided_at.first()).copied()
    }

    /// The same, with the answer to the next trial.
    #[must_use]
    pub fn with_trial(mut self, answer: TrialAnswer) -> Self {
        self.trials.push(answer);
        self
    }

    /// The same, about a client that is banned.
    #[must_use]
    pub fn with_ban(self, ban: Ban) -> Self {
        Self { ban: Some(ban), ..self }
    }

    /// How many of `count` requests the policies decided. The others were refused because of a ban.
    pub(crate) fn decided(&self, count: u32) -> u32 {
        self.ban.map_or(count, |ban| ban.decided.min(count))
    }

    /// Whether all of `count` requests are admitted. A `count` of 0 asks whether one would be.
    pub(crate) fn is_allowed(&self, count: u32) -> bool {
        match count {
            0 => {
                self.ban.is_none()
                    && self.standings.iter().all(|standing| standing.retry == Retry::Now)
            }
            count => self.admitted == count,
        }
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

/// What came of a [`Refund`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// So many units were given back: as many as the key still counted.
    Given(u64),
    /// The charge was given back before.
    Before,
}

/// A list that needs no allocation for as many items as most requests have policies.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;
