//! A fixed window keeps its state in Redis as one integer while that is exact, and packed otherwise. No count
//! is lost where one becomes the other.

use std::slice;
use std::sync::Arc;

use tollgate::Policy;
use tollgate::store::Charge;

use crate::model::{self, Model};
use crate::support::stores::{HOUR, NOW, Stand, charge, on_each_store, policy};

const SECOND: u64 = 1_000;

/// A fixed window that admits `units` in `window`.
fn fixed(units: u64, window: u64) -> Arc<Policy> {
    policy("p", "fixed-window", units, window)
}

/// The value of the key of `charge`.
fn value(stand: &Stand, charge: &Charge) -> Vec<u8> {
    let mut redis = stand.server.as_ref().expect("it has one").connection();
    let ttl: i64 = redis::cmd("PTTL").arg(charge.key.as_str()).query(&mut redis).expect("PTTL");
    let longest = charge.policy.quota().window().longest() + SECOND;
    assert!((1..=longest as i64).contains(&ttl), "{} goes after {ttl} ms", charge.key);
    redis::cmd("GET").arg(charge.key.as_str()).query(&mut redis).expect("a string")
}

#[test]
fn a_count_that_outgrows_its_integer_is_that_of_the_model() {
    on_each_store(|stand| {
        for window in [SECOND, HOUR] {
            let stride = window * 1_000;
            let policy = fixed(2 * stride + 5, window);
            let charge = charge("a", &policy);
            let mut model = Model::new();
            let mut now = NOW;
            for (step, cost) in [
                (0, stride - 2),
                (0, 1),
                (0, 1),
                (1, 1),
                (0, stride + 5),
                (0, 1),
                (window, stride),
                (0, 1),
                (window, 1),
                (0, stride - 2),
                (0, stride),
                (0, 7),
            ] {
                now += step;
                stand.clock.set(now);
                let of_model =
                    model::Charge { key: charge.key.to_string(), policy: policy.clone(), cost };
                let expected = model.acquire(now, &[of_model], 1);
                let answer = stand.acquire(slice::from_ref(&charge), cost, 1);
                assert_eq!(u64::from(answer.admitted), expected.admitted, "{window}: {cost}");
                assert_eq!(answer.standings, expected.standings, "{window}: {cost}");
            }
        }
    });
}

#[test]
fn the_units_of_a_quota_may_pass_what_its_integer_holds_and_come_back() {
    on_each_store(|stand| {
        stand.clock.set(NOW);
        let stride = SECOND * 1_000;
        let of = |units| charge("b", &fixed(units, SECOND));
        assert!(stand.admits(&[of(10)], 7));
        assert_eq!(stand.peek(&of(3 * stride), 1).remaining, 3 * stride - 7);
        assert!(stand.admits(&[of(3 * stride)], stride - 8));
        assert_eq!(stand.peek(&of(stride), 1).remaining, 1);
        assert!(stand.admits(&[of(3 * stride)], stride));
        assert_eq!(stand.peek(&of(10), 1).remaining, 0);
        assert!(!stand.admits(&[of(stride)], 1));
        assert_eq!(stand.peek(&of(3 * stride), 1).remaining, stride + 1);
        assert!(stand.admits(&[of(3 * stride)], 1));
        assert_eq!(stand.peek(&of(3 * stride), 1).remaining, stride);
        // What was used under the larger quota does not reach into the next window.
        stand.clock.set(NOW + SECOND);
        assert_eq!(stand.peek(&of(10), 1).remaining, 10);
    });
}

#[test]
fn a_time_whose_integer_would_not_be_exact_is_counted_too() {
    on_each_store(|stand| {
        // An integer of both is exact until some time in the year 2255.
        let last = (1_u64 << 53) / 1_000;
        for now in [last - 2 * HOUR, last - HOUR, last, last + HOUR, 2 * last] {
            stand.clock.set(now);
            let charge = charge(&format!("user {now}"), &fixed(5, HOUR));
            for left in (0..5).rev() {
                assert!(stand.admits(slice::from_ref(&charge), 1), "{now}");
                assert_eq!(stand.peek(&charge, 1).remaining, left, "{now}");
            }
            assert!(!stand.admits(slice::from_ref(&charge), 1), "{now}");
        }
    });
}

#[test]
fn a_key_holds_one_integer_while_it_can_and_a_refund_leaves_its_form() {
    let stand = Stand::redis();
    let mut redis = stand.server.as_ref().expect("it has one").connection();
    let stride = SECOND * 1_000;
    let quota = fixed(3 * stride, SECOND);
    let charge = charge("c", &quota);
    let mut refund = |amount: u64| -> u64 {
        let mut refund = redis::cmd("EVAL");
        refund.arg(tollgate::lua::REFUND).arg(1).arg(charge.key.as_str());
        refund.arg(NOW).arg("fixed-window").arg(3 * stride).arg(SECOND).arg(amount).arg(NOW);
        refund.query(&mut redis).expect("the refund")
    };
    let text = |used: u64| (NOW * 1_000 + used).to_string().into_bytes();
    let charge_of = |cost| assert!(stand.admits(slice::from_ref(&charge), cost));

    charge_of(3);
    assert_eq!(value(&stand, &charge), text(3));
    charge_of(stride - 4);
    assert_eq!(value(&stand, &charge), text(stride - 1));
    assert_eq!(refund(9), 9);
    assert_eq!(value(&stand, &charge), text(stride - 10));
    charge_of(10);
    assert_eq!(value(&stand, &charge).len(), 12);
    assert_eq!(refund(4), 4);
    assert_eq!(value(&stand, &charge).len(), 12);
    assert_eq!(stand.peek(&charge, 1).remaining, 2 * stride + 4);
    // A further charge writes the integer again, and the whole of it can be given back.
    charge_of(1);
    assert_eq!(value(&stand, &charge), text(stride - 3));
    assert_eq!(refund(2 * stride), stride - 3);
    assert_eq!(stand.peek(&charge, 1).remaining, 3 * stride);
}
