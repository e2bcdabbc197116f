use std::fmt::Debug;
use std::sync::{Arc, Weak};

use super::answer::Answer;
use super::answered::{Acquired, Refunded};
use super::asked::{Acquire, Refund};
use super::error::StoreError;
use super::keyspace::Key;
use super::slot::Slot;
use crate::domain::policy::Policy;

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
/// * A client that a [`PenaltyKey`](super::PenaltyKey) of the request says is banned is refused. Nothing is charged or counted then.
///   Otherwise, each policy with a penalty counts the requests that it denies, after the charges. A store may
///   leave penalties out: then nobody is banned.
/// * A [`Trial`](super::Trial) is decided in the same step, after the charges, and never changes what they decide. A store may
///   leave out the answers to trials.
/// * A charge under a policy that counts requests under way takes a slot for each request that is admitted. The answer
///   names the slots. Each is held until it is [released](Store::release), or for one window of the policy after it was
///   taken or [renewed](Store::renew).
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

    /// Gives back slots of requests that were under way. Answers for each of `slots` whether it was held still. A store
    /// may leave this out: then slots end by themselves.
    fn release(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        Answer::ready(Ok(vec![false; slots.len()]))
    }

    /// Lets slots last for another window of their policies, from now on. Answers for each of `slots` whether it was held
    /// still: one that was not is not taken again.
    fn renew(&self, slots: Vec<Slot>) -> Answer<Vec<bool>> {
        Answer::ready(Ok(vec![false; slots.len()]))
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
