//! If a Redis user lacks a permission, the store fails. No client gets a fresh quota for that.

use std::sync::Arc;
use std::time::Duration;

use tollgate::store::{Acquire, Charge, Slot, Store};
use tollgate::{
    Algorithm, Identity, Keyspace, Policy, Quota, RedisOptions, RedisStore, StoreErrorKind,
};

use crate::support::redis::Server;
use crate::support::stores::{HOUR, policy};

const ALGORITHMS: [&str; 4] = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"];

/// The rules that the documentation gives for a Redis user.
pub(crate) fn documented() -> Vec<&'static str> {
    let page = include_str!("../../docs/src/redis.md");
    let line = page.lines().find(|line| line.contains("ACL SETUSER tollgate"));
    let rules = line.and_then(|line| line.split_once("SETUSER tollgate ")).expect("an ACL").1;
    rules.split_whitespace().collect()
}

/// A store as that user, who has the documented rules and `more`.
fn store(server: &Server, more: &[&str]) -> RedisStore {
    let rules = [&documented(), more].concat();
    let mut connection = server.connection();
    let setuser = redis::cmd("ACL").arg("SETUSER").arg("tollgate").arg(rules).exec(&mut connection);
    setuser.expect("rules that Redis knows");
    let url = format!("{}?user=tollgate&pass=secret", server.url());
    let timeout = Duration::from_secs(10);
    RedisStore::start(&RedisOptions::new(url).timeout(timeout)).expect("a store")
}

/// Three requests under a policy of two.
fn ask(store: &RedisStore, algorithm: &str) -> Vec<Result<u32, StoreErrorKind>> {
    let policy = policy("p", algorithm, 2, HOUR);
    let key = Keyspace::new("tollgate").key(&Identity::user("1042"), &policy);
    let charge = Charge::new(Arc::clone(&policy), key);
    let asked = Acquire::new(vec![charge], 1);
    let ask = |_| store.acquire(&asked).wait();
    (0..3).map(ask).map(|it| it.map(|it| it.admitted).map_err(|error| error.kind())).collect()
}

#[test]
fn the_documented_permissions_are_enough() {
    let server = Server::start();
    let store = store(&server, &[]);
    for algorithm in ALGORITHMS {
        assert_eq!(ask(&store, algorithm), [Ok(1), Ok(1), Ok(0)], "{algorithm}");
    }
}

#[test]
fn the_permissions_for_slots_are_enough_and_each_is_needed() {
    let page = include_str!("../../docs/src/redis.md");
    let row = page.lines().find(|line| line.starts_with("| policies with [`in_flight`]"));
    let cell = row.and_then(|row| row.split('`').nth(3)).expect("rules");
    let rules: Vec<&str> = cell.split(' ').collect();
    let server = Server::start();
    let right = store(&server, &rules);
    assert_eq!(use_slots(&right), Ok(true));
    // Only after a clock that was wrong.
    for rule in rules.iter().filter(|rule| **rule != "+zrangebyscore") {
        let server = Server::start();
        let without = store(&server, &[&rules[..], &[&rule.replace('+', "-")]].concat());
        assert_ne!(use_slots(&without), Ok(true), "{rule} is not needed");
    }
}

#[test]
fn a_key_of_slots_that_may_not_get_a_ttl_does_not_stay() {
    let server = Server::start();
    let store = store(&server, &["+@sortedset", "-pexpire"]);
    assert_eq!(use_slots(&store), Err(StoreErrorKind::Refused));
    for (key, entry) in server.dump() {
        assert!(entry.expires_at.is_some(), "{} never goes", String::from_utf8_lossy(&key));
    }
}

/// Takes a slot, renews it and gives it back: whether all of that was so.
fn use_slots(store: &RedisStore) -> Result<bool, StoreErrorKind> {
    let quota = Quota::new(2, 30_000).expect("a quota");
    let policy = Policy::new("p", quota).and_then(|it| it.with_algorithm(Algorithm::InFlight));
    let policy = Arc::new(policy.expect("a small number"));
    let key = Keyspace::new("tollgate").key(&Identity::user("1042"), &policy);
    let charge = Charge::new(policy, key);
    let acquired = store.acquire(&Acquire::new(vec![charge.clone()], 1)).wait();
    let acquired = acquired.map_err(|error| error.kind())?;
    let slot = Slot::new(charge, acquired.slot(0).expect("it takes slots"));
    let renewed = store.renew(vec![slot.clone()]).wait().map_err(|error| error.kind())?;
    let released = store.release(vec![slot]).wait().map_err(|error| error.kind())?;
    Ok(acquired.admitted == 1 && renewed == [true] && released == [true])
}

#[test]
fn nobody_is_admitted_by_who_may_not_read() {
    for (algorithm, reads) in ALGORITHMS.iter().zip(["get", "get", "getrange", "get"]) {
        let server = Server::start();
        let store = store(&server, &[&format!("-{reads}")]);
        for answer in ask(&store, algorithm) {
            answer.expect_err("a store that fails");
        }
    }
}

#[test]
fn every_documented_permission_is_needed() {
    for rule in documented().into_iter().filter(|rule| rule.starts_with('+')) {
        // Needed only after a flush, by a reset, by a refund, and by a log that is long or goes on.
        if ["+eval", "+unlink", "+del", "+strlen", "+append"].contains(&rule) {
            continue;
        }
        let server = Server::start();
        let store = store(&server, &[&rule.replace('+', "-")]);
        let fails =
            |algorithm: &&str| ask(&store, algorithm).contains(&Err(StoreErrorKind::Refused));
        let fails = !store.is_up() || ALGORITHMS.iter().any(fails);
        assert!(fails, "{rule} is not needed");
    }
}
