use super::*;
use crate::app::suggest::samples::counting;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;

fn traffic() -> Traffic {
    let clients: [&[Millis]; 2] = [&[1_000, 1_000, 1_999, 2_000], &[5_000]];
    clients.into_iter().map(|times| times.iter().copied().collect()).collect()
}

fn policy() -> Policy {
    counting(Algorithm::FixedWindow, "second").policy(2, KeySource::Ip).expect("a policy")
}

#[test]
fn what_a_limiter_refuses_is_counted_by_client_and_by_request() {
    let refused = refused_by_limiter(policy(), &traffic()).expect("a decision");
    assert_eq!(refused, Refusals { clients: 1, requests: 1 });
    try_out(policy(), &traffic(), refused).expect("it is what is expected");
}

#[test]
fn what_a_limiter_does_not_confirm_is_an_error() {
    for wrong in [Refusals { clients: 1, requests: 2 }, Refusals { clients: 2, requests: 1 }] {
        let error = try_out(policy(), &traffic(), wrong).expect_err("it is wrong");
        assert!(error.to_string().contains("a mistake of tollgate"), "{error}");
    }
}
