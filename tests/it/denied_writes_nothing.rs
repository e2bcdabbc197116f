//! Promise 2: a denied request writes nothing.

use crate::support::stores::{
    HOUR, MINUTE, NOW, ask, charge, each_policy, on_each_store, policy, wait_of,
};
use crate::support::threads::together;

#[test]
fn promise_2_a_denied_request_writes_nothing() {
    on_each_store(|stand| {
        for policy in each_policy(5, HOUR) {
            let charges = [charge("a", &policy)];
            assert_eq!(stand.acquire(&charges, 1, 9).admitted, 5);
            stand.clock.advance(MINUTE);
            let now = NOW + MINUTE;
            let before = stand.image(&charges, now);
            let (store, of_all) = (stand.store.clone(), charges.clone());
            let denials = together(4, move |_| {
                let denied = |i: &u64| {
                    let count = u32::try_from(1 + i % 3).expect("a small count");
                    ask(&*store, &of_all, 1 + i % 7, count).admitted == 0
                };
                (0..1_000_u64).filter(denied).count()
            });
            assert_eq!(denials.iter().sum::<usize>(), 4_000, "{}", policy.name());
            assert_eq!(stand.image(&charges, now), before, "{}", policy.name());
            stand.clock.set(NOW);
        }
    });
}

#[test]
fn promise_2_hammering_does_not_extend_the_wait() {
    on_each_store(|stand| {
        for policy in each_policy(5, HOUR) {
            let charges = [charge("a", &policy)];
            let wait = wait_of(&stand.acquire(&charges, 2, 9).standings);
            for step in 0..500 {
                let passed = (wait - 1) * step / 499;
                stand.clock.set(NOW + passed);
                let denied = stand.acquire(&charges, 2, 1);
                assert_eq!(denied.admitted, 0, "{} after {passed} ms", policy.name());
                assert_eq!(wait_of(&denied.standings), wait - passed, "{}", policy.name());
            }
            stand.clock.set(NOW + wait);
            assert!(stand.admits(&charges, 2), "{} after {wait} ms", policy.name());
            stand.clock.set(NOW);
        }
    });
}

#[test]
fn promise_2_requests_that_are_denied_or_only_peek_make_no_keys() {
    on_each_store(|stand| {
        let closed = charge("everyone", &policy("closed", "fixed-window", 1, HOUR));
        assert!(stand.admits(std::slice::from_ref(&closed), 1));
        let before = stand.image(&[], NOW);
        for policy in each_policy(5, HOUR) {
            for i in 0..200 {
                let own = charge(&format!("user {i}"), &policy);
                assert!(!stand.admits(&[own.clone(), closed.clone()], 1), "{}", own.key);
                assert!(!stand.admits(std::slice::from_ref(&own), 6), "{}", own.key);
                assert_eq!(stand.peek(&own, 1).remaining, 5);
            }
        }
        assert_eq!(stand.image(&[], NOW), before);
    });
}
