use std::fmt::Debug;
use std::sync::{Arc, Weak};

use super::answer::Answer;
use super::error::StoreError;
use super::keyspace::Key;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::Standing;

/// Keeps the state of keys, and decides and charges in one step.
///
/// What an implementation owes, and the tests hold every one to:
///
/// * [`acquire`](Store::acquire) is atomic: no other call sees or changes any of its keys between
///   its reading and its writing. Where that cannot be, [`may_give_back`](Store::may_give_back)
///   says so.
/// * As many of the `count` requests are admitted as fit under *every* charge, `admitted * cost`
///   units are charged to each of them, and nothing at all where none fits: then the only thing that
///   may be written is a state that a wrong clock wrote, as of now. A count of 0 only reads.
/// * The standings are those right after, in the order of the charges.
/// * A charge that was answered is kept until the quota is whole again. Where room is bounded, new keys
///   are counted together rather than an old one forgotten.
/// * Equal histories get equal decisions from every store that has room.
/// * No call blocks the caller: what takes time is answered later. An answer may fail, and then the
///   charge may or may not have landed; it is never made twice.
pub trait Store: Debug + Send + Sync {
    /// Decides and charges.
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired>;

    /// Forgets what was charged to `keys`.
    fn reset(&self, keys: Vec<Key>) -> Answer<()>;

    /// Whether a charge may be seen by others and be given back a moment later: where the store
    /// decides the keys of a request one after another, in the order of its charges, and a later one
    /// denies. What the last of them was charged is never given back.
    fn may_give_back(&self) -> bool {
        false
    }

    /// Is told of policies that requests will meet, before the first one does: a store of bounded room can
    /// divide it among them.
    fn prepare(&self, policies: &[Arc<Policy>]) {
        let _ = policies;
    }

    /// Has `debtor` asked for its debts each time the store is back from an outage, before it
    /// decides again. A store that is never away asks nobody.
    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        drop(debtor);
    }
}

/// Who decides instead of a store while it is away, and owes it what was admitted meanwhile.
pub trait Debtor: Debug + Send + Sync {
    /// At most `most` of the charges that are owed, each under one policy. Each is handed out once.
    fn debts(&self, most: usize) -> Vec<Acquire>;

    /// What the store answered to one of them. What it may have charged is owed no longer.
    fn settled(&self, debt: &Acquire, answer: &Result<Acquired, StoreError>);
}

/// What [`Store::acquire`] is asked: `count` identical requests under the same charges.
#[derive(Clone, Debug)]
pub struct Acquire {
    /// The policies that every one of the requests meets, each with the key it counts by.
    pub charges: Vec<Charge>,
    /// Units that each request uses of each quota.
    pub cost: Cost,
    /// How many requests; 0 decides on one and charges nothing.
    pub count: u32,
}

/// One policy of a request, and the key that holds its state.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The key.
    pub key: Key,
}

/// What [`Store::acquire`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// How many of the requests are admitted.
    pub admitted: u32,
    /// Where each charge stands afterwards, for one more request of that cost.
    pub standings: Vec<Standing>,
}

/// A list that needs no allocation for as many items as most requests have policies.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;
