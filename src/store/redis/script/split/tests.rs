use std::sync::Arc;

use super::*;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::store::redis::error::store_error;
use crate::store::redis::script::packed;
use crate::store::{Charge, Keyspace};

const LONG: Duration = Duration::from_secs(600);

/// One request for each of `users`.
fn asked(users: &[&str]) -> Vec<Acquire> {
    let policy = Arc::new(Policy::new("p", "7/day".parse().unwrap()).unwrap());
    let charge = |user: &&str| {
        let key = Keyspace::new("t").key(&Identity::user(*user), &policy);
        Charge::new(policy.clone(), key)
    };
    let acquire = |user| Acquire::new(vec![charge(user)], 1);
    users.iter().map(acquire).collect()
}

/// The reply of a server that refuses, by `error`, the keys of users whose names begin with `x`.
fn server(batch: &Batch, error: &str) -> Result<Vec<u8>, StoreError> {
    let mut reply = vec![0];
    for run in batch.runs() {
        for key in run.requests().flatten() {
            if key.as_str().contains("user:x") {
                let reply = redis::parse_redis_value(format!("-{error}\r\n").as_bytes());
                let error = reply.unwrap().extract_error().unwrap_err();
                return Err(store_error(error));
            }
            reply.extend([i64::from(run.count()), 5, 0, 0]);
        }
    }
    Ok(packed(&reply))
}

const OF_A_KEY: &str = "NOPERM No permissions to access a key";

/// Whether each of `users` is answered, and the number of calls.
fn answered(users: &[&str], error: &str, timeout: Duration) -> (Vec<bool>, usize) {
    let mut calls = 0;
    let answers = ask(asked(users), timeout, |batch| {
        calls += 1;
        server(batch, error)
    });
    (answers.iter().map(Result::is_ok).collect(), calls)
}

#[test]
fn requests_beside_a_refused_key_are_answered_in_order() {
    for users in [&["a", "x", "b"][..], &["x", "a"], &["a", "b", "c", "x1", "x2", "d"], &["x"]] {
        let expected: Vec<bool> = users.iter().map(|user| !user.starts_with('x')).collect();
        assert_eq!(answered(users, OF_A_KEY, LONG).0, expected, "{users:?}");
    }
    assert_eq!(answered(&["a", "b"], OF_A_KEY, LONG), (vec![true; 2], 1));
}

#[test]
fn one_refused_key_among_128_is_found() {
    for place in [0, 1, 64, 127] {
        let names: Vec<String> = (0..128).map(|number| number.to_string()).collect();
        let mut users: Vec<&str> = names.iter().map(String::as_str).collect();
        users[place] = "x";
        let (answers, calls) = answered(&users, OF_A_KEY, LONG);
        assert_eq!(answers.iter().filter(|it| !**it).count(), 1, "{place}");
        assert!(!answers[place] && calls == MAX_CALLS, "{place}: {calls}");
    }
}

#[test]
fn it_ends_after_some_calls_or_the_time_limit() {
    let refused = ["x"; 128];
    let (answers, calls) = answered(&refused, OF_A_KEY, LONG);
    assert_eq!(answers, [false; 128]);
    assert!(calls < 2 * MAX_CALLS, "{calls}");
    let (_, calls) = answered(&refused, OF_A_KEY, Duration::ZERO);
    assert_eq!(calls, 3, "two halves, and no more");
}

#[test]
fn what_is_not_about_a_key_is_asked_once() {
    for error in [
        "OOM command not allowed when used memory > 'maxmemory'.",
        "NOPERM this user has no permissions to run the 'evalsha' command",
        "ERR No permissions to access a key script: 1, on @user_script:9.",
    ] {
        assert_eq!(answered(&["a", "x"], error, LONG), (vec![false; 2], 1), "{error}");
    }
}
