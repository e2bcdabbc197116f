use super::*;
use crate::domain::clock::{Clock, ManualClock, Millis};
use crate::domain::key::Identity;
use crate::domain::standing::{Retry, Standing};
use crate::store::Keyspace;

/// At the beginning of a minute.
const NOW: Millis = 1_700_000_040_000;
const MINUTE: Millis = 60_000;

/// A fallback for one policy of 10 a minute, shared by so many processes.
struct Setup {
    clock: Arc<ManualClock>,
    fallback: Fallback,
    policy: Arc<Policy>,
}

impl Setup {
    fn new(instances: u64) -> Self {
        let instances = NonZeroU64::new(instances).unwrap();
        let policy = Arc::new(Policy::new("p", "10/minute".parse().unwrap()).unwrap());
        let clock = Arc::new(ManualClock::new(NOW));
        let local = Arc::new(MemoryStore::with_clock(1_000, clock.clone() as Arc<dyn Clock>));
        let fallback = Fallback::new(local, instances, [&policy]);
        Self { clock, fallback, policy }
    }

    fn charge(&self, user: &str) -> Charge {
        let key = Keyspace::new("t").key(&Identity::user(user), &self.policy);
        Charge::new(self.policy.clone(), key)
    }

    /// The store says that so much remains.
    fn learn(&self, user: &str, remaining: u64) {
        let standing = Standing { remaining, reset_after: MINUTE, retry: Retry::Now };
        let acquired = Acquired::new(1, vec![standing]);
        self.fallback.learn(&Acquire::new(vec![self.charge(user)], 1), &acquired);
    }

    /// How many of `count` requests, one after the other, are admitted without the store.
    fn admits(&self, user: &str, count: usize, cause: StoreErrorKind) -> usize {
        let charges = vec![self.charge(user)];
        let asked = Acquire::new(charges, 1);
        let admitted = |_: &usize| self.fallback.decide(&asked, cause).1.admitted == 1;
        (0..count).filter(admitted).count()
    }

    /// What is owed, by hash tag, and the policies it is owed under.
    fn debts(&self) -> Vec<(String, u32)> {
        let debts = self.fallback.debts(100);
        let said = |debt: &Acquire| {
            assert_eq!(debt.charges[0].policy, self.policy, "as the store counts it");
            (debt.charges[0].key.hash_tag().to_owned(), debt.count)
        };
        debts.iter().map(said).collect()
    }

    fn owed(units: u32) -> Vec<(String, u32)> {
        vec![("user:a".to_owned(), units)]
    }
}

const AWAY: StoreErrorKind = StoreErrorKind::Unreachable;

#[test]
fn an_outage_hands_nobody_a_fresh_quota() {
    for (instances, remaining, admitted) in [
        // The share of a process that knows nothing better.
        (1, None, 10),
        (3, None, 4),
        (100, None, 1),
        // Of what remained, its part.
        (1, Some(10), 10),
        (1, Some(3), 3),
        (1, Some(0), 0),
        (3, Some(3), 1),
        (3, Some(4), 2),
        (3, Some(0), 0),
        (100, Some(1), 1),
    ] {
        let setup = Setup::new(instances);
        remaining.into_iter().for_each(|remaining| setup.learn("a", remaining));
        let said = format!("{remaining:?} left, {instances} instances");
        assert_eq!(setup.admits("a", 20, AWAY), admitted, "{said}");
    }
}

#[test]
fn what_was_known_ends_with_its_window() {
    let setup = Setup::new(1);
    setup.learn("a", 0);
    setup.clock.set(NOW + MINUTE - 1);
    assert_eq!(setup.admits("a", 20, AWAY), 0);
    setup.clock.set(NOW + MINUTE);
    assert_eq!(setup.admits("a", 20, AWAY), 10);
}

#[test]
fn what_was_admitted_is_owed_once() {
    let setup = Setup::new(1);
    setup.learn("a", 4);
    assert_eq!(setup.admits("a", 3, AWAY), 3);
    assert_eq!(setup.debts(), Setup::owed(3));
    assert_eq!(setup.debts(), []);
}

#[test]
fn what_the_store_may_have_charged_is_not_owed() {
    use StoreErrorKind::{Closed, Declined, Lost, Overloaded, Refused, TimedOut};
    for cause in [TimedOut, Lost, Refused, Closed] {
        let setup = Setup::new(1);
        assert_eq!(setup.admits("a", 3, cause), 3, "{cause:?}");
        assert_eq!(setup.debts(), [], "{cause:?}");
        // It is counted here all the same.
        assert_eq!(setup.admits("a", 20, AWAY), 7, "{cause:?}");
        assert_eq!(setup.debts(), Setup::owed(7), "{cause:?}");
    }
    for cause in [Overloaded, Declined] {
        let setup = Setup::new(1);
        assert_eq!(setup.admits("a", 3, cause), 3, "{cause:?}");
        assert_eq!(setup.debts(), Setup::owed(3), "{cause:?}");
    }
}

#[test]
fn what_a_window_has_forgotten_is_owed_no_longer() {
    let setup = Setup::new(1);
    assert_eq!(setup.admits("a", 3, AWAY), 3);
    setup.clock.advance(MINUTE);
    assert_eq!(setup.admits("a", 2, AWAY), 2);
    assert_eq!(setup.debts(), Setup::owed(2), "5 were admitted, 2 of them in this window");
}

/// Hands out the only debt and settles it: the store had so much left.
fn settle(setup: &Setup, answer: Result<u64, StoreErrorKind>) {
    let debt = setup.fallback.debts(1).pop().expect("a debt");
    let answer = answer.map_err(StoreError::new).map(|remaining| {
        let standing = Standing { remaining, reset_after: MINUTE, retry: Retry::Now };
        Acquired::new(debt.count, vec![standing])
    });
    setup.fallback.settled(&debt, &answer);
}

#[test]
fn the_next_outage_begins_where_the_store_was_left_after_charging_back() {
    let setup = Setup::new(1);
    setup.learn("a", 8);
    assert_eq!(setup.admits("a", 3, AWAY), 3);
    settle(&setup, Ok(5));
    assert_eq!(setup.admits("a", 20, AWAY), 5);
}

#[test]
fn a_debt_that_was_not_taken_is_owed_on_and_one_that_may_have_been_is_not() {
    let setup = Setup::new(1);
    assert_eq!(setup.admits("a", 3, AWAY), 3);
    for cause in [AWAY, StoreErrorKind::Declined] {
        settle(&setup, Err(cause));
    }
    assert_eq!(setup.admits("a", 1, AWAY), 1);
    settle(&setup, Err(StoreErrorKind::TimedOut));
    assert_eq!(setup.debts(), []);
    assert_eq!(setup.admits("a", 20, AWAY), 6, "it stays counted here");
}

#[test]
fn a_failure_long_ago_does_not_hide_what_the_store_counted_since() {
    for cause in [AWAY, StoreErrorKind::TimedOut] {
        let setup = Setup::new(1);
        setup.learn("a", 9);
        assert_eq!(setup.admits("a", 1, cause), 1);
        setup.clock.advance(1_000);
        setup.learn("a", 2);
        // Where it is owed, the store does not know of it.
        let left = if cause == AWAY { 1 } else { 2 };
        assert_eq!(setup.admits("a", 20, AWAY), left, "{cause:?}");
    }
}

#[test]
fn a_reset_forgets_what_is_known_counted_and_owed() {
    let setup = Setup::new(1);
    setup.learn("a", 4);
    assert_eq!(setup.admits("a", 20, AWAY), 4);
    let key = setup.charge("a").key;
    setup.fallback.reset(vec![key]).wait().unwrap();
    assert_eq!(setup.debts(), []);
    assert_eq!(setup.admits("a", 20, AWAY), 10);
}

#[test]
fn a_peek_shows_what_is_known_and_charges_and_owes_nothing() {
    let setup = Setup::new(1);
    setup.learn("a", 4);
    let charges = vec![setup.charge("a")];
    let peek = Acquire::new(charges, 0);
    for _ in 0..2 {
        let (_, peeked) = setup.fallback.decide(&peek, AWAY);
        assert_eq!(peeked.standings[0].remaining, 4);
    }
    assert_eq!(setup.debts(), []);
}
