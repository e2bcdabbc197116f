//! Keys to which something is given back: what was remembered of them is not sure any more.

use super::*;

/// A check of `user`, whom the store denies.
fn asked(user: &str) -> Acquire {
    let policy = Arc::new(policy("p", "1/minute"));
    let key = Keyspace::new("t").key(&Identity::user(user), &policy);
    Acquire::new(vec![Charge::new(policy, key)], 1)
}

fn denied() -> Acquired {
    let standing = Standing { remaining: 0, reset_after: MINUTE, retry: Retry::After(MINUTE) };
    Acquired::new(0, vec![standing])
}

fn keys(asked: &Acquire) -> Vec<Fingerprint> {
    super::super::keys(asked).collect()
}

fn cache() -> DenyCache {
    DenyCache::new(Duration::from_secs(1), Arc::new(ManualClock::new(MINUTE)))
}

fn remembers(cache: &DenyCache, asked: &Acquire) -> bool {
    cache.answer(asked, Purpose::Request).is_some()
}

#[test]
fn only_the_denials_of_keys_that_were_given_something_back_are_forgotten() {
    let cache = cache();
    let users: Vec<Acquire> = (0..50).map(|user| asked(&user.to_string())).collect();
    for asked in &users {
        let moment = cache.moment(Purpose::Request);
        cache.remember(asked, moment, &denied(), || true);
    }
    assert!(users.iter().all(|asked| remembers(&cache, asked)));
    cache.reopen(keys(&users[7]));
    assert!(!remembers(&cache, &users[7]));
    let kept = users.iter().filter(|asked| remembers(&cache, asked)).count();
    // Few of them share a place with that one.
    assert!((45..50).contains(&kept), "{kept}");
}

#[test]
fn a_denial_is_remembered_again_once_it_is_asked_for_again() {
    let cache = cache();
    let asked = asked("a");
    for _ in 0..3 {
        let moment = cache.moment(Purpose::Request);
        cache.remember(&asked, moment, &denied(), || true);
        assert!(remembers(&cache, &asked));
        cache.reopen(keys(&asked));
        assert!(!remembers(&cache, &asked));
    }
}

#[test]
fn a_denial_that_was_asked_for_before_a_refund_is_not_remembered_after_it() {
    let cache = cache();
    let (asked, other) = (asked("a"), asked("b"));
    let moment = cache.moment(Purpose::Request);
    cache.reopen(keys(&asked));
    cache.remember(&asked, moment, &denied(), || true);
    assert!(!remembers(&cache, &asked));
    let moment = cache.moment(Purpose::Request);
    cache.reopen(keys(&asked));
    cache.remember(&other, moment, &denied(), || true);
    assert!(remembers(&cache, &other), "the refund is of another key");
}

#[test]
fn a_refund_to_one_of_several_keys_or_to_a_trial_reopens_a_request() {
    let (own, shared, tried) = (asked("a"), asked("b"), asked("c"));
    let mut all = own.clone();
    all.charges.extend(shared.charges.clone());
    all.trials.push(crate::store::Trial::new(tried.charges[0].clone(), None));
    for part in [&own, &shared, &tried] {
        let cache = cache();
        let moment = cache.moment(Purpose::Request);
        let two = Acquired::new(0, [denied().standings, denied().standings].concat());
        cache.remember(&all, moment, &two, || true);
        assert!(remembers(&cache, &all));
        cache.reopen(keys(part));
        assert!(!remembers(&cache, &all));
    }
}

/// The store gives back what a token bucket is less than one unit of, too.
#[test]
fn a_client_who_is_given_something_back_is_let_in_at_once_and_nobody_else_is_asked_for() {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let memory = MemoryStore::with_clock(100, clock.clone());
    let store = Arc::new(Counting(memory, AtomicU64::new(0)));
    let bucket = crate::domain::algorithm::Algorithm::TokenBucket { burst: 1 };
    let limiter = Limiter::builder(store.clone())
        .policy(policy("p", "1/minute").with_algorithm(bucket).unwrap())
        .deny_cache(Duration::from_secs(1), clock.clone())
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    let check = |user| {
        let check = limiter.check(&policies, Cost::ONE, &Client::user(user));
        check.wait().unwrap().is_allowed()
    };
    assert_eq!(["a", "a", "b", "b"].map(check), [true, false, true, false]);
    let asked = store.1.load(Ordering::SeqCst);
    let at = clock.now();
    clock.advance(5);
    let key =
        limiter.key(&policy("p", "1/minute").with_algorithm(bucket).unwrap(), &Client::user("a"));
    let charge = Charge::new(policies.0[0].policy().clone(), key);
    ready(limiter.give_back_to(vec![Refund::new(charge).charged_at(at)])).unwrap();
    assert_eq!(["b", "a"].map(check), [false, true]);
    assert_eq!(store.1.load(Ordering::SeqCst), asked + 1, "b is known to be denied");
}
