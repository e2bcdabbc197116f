use std::fmt::Debug;
use std::sync::{Arc, Weak};

use super::answer::Answer;
use super::error::StoreError;
use super::keyspace::Key;
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
///   by `admitted * cost` units.
/// * If no request fits, nothing is charged. The store then writes only where a wrong clock has written a
///   state: it writes that state again as of now. A `count` of 0 only reads.
/// * The standings are those right after the charge, in the order of the charges.
/// * A charge that was answered is kept until the quota is whole again. A store of bounded size counts new
///   keys together rather than forget an old one.
/// * Stores with room for all keys give equal decisions for equal histories.
/// * No call blocks the caller: an [`Answer`] that takes time comes later. If it is an error, the charge may
///   have been made or not; the store never makes it twice.
pub trait Store: Debug + Send + Sync {
    /// Decides and charges.
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired>;

    /// Forgets what was charged to `keys`.
    fn reset(&self, keys: Vec<Key>) -> Answer<()>;

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
    /// The units that each request uses of each quota.
    pub cost: Cost,
    /// How many requests there are; 0 decides on one and charges nothing.
    pub count: u32,
}

impl Acquire {
    /// Asks for `count` requests of `cost` under `charges`.
    #[must_use]
    pub fn new(charges: Vec<Charge>, cost: Cost, count: u32) -> Self {
        Self { charges, cost, count }
    }
}

/// One policy of a request, and the key that holds its state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Charge {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The key.
    pub key: Key,
}

impl Charge {
    /// A charge to `key` under `policy`.
    #[must_use]
    pub fn new(policy: Arc<Policy>, key: Key) -> Self {
        Self { policy, key }
    }
}

/// What [`Store::acquire`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Acquired {
    /// How many of the requests are admitted.
    pub admitted: u32,
    /// Where each charge stands afterwards, for one more request of the same cost.
    pub standings: Vec<Standing>,
}

impl Acquired {
    /// An answer that admits `admitted` requests, after which the charges stand at `standings`.
    #[must_use]
    pub fn new(admitted: u32, standings: Vec<Standing>) -> Self {
        Self { admitted, standings }
    }

    /// Whether all of `count` requests are admitted. A `count` of 0 asks whether one would be.
    pub(crate) fn is_allowed(&self, count: u32) -> bool {
        match count {
            0 => self.standings.iter().all(|standing| standing.retry == Retry::Now),
            count => self.admitted == count,
        }
    }
}

/// A list that needs no allocation for as many items as most requests have policies.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;
