//! Promise 6: no key is without a TTL, after any operation and any crash, and no TTL is so short that it
//! changes a decision.

use std::slice;
use std::sync::Arc;

use proptest::prelude::*;
use tollgate::store::Store;
use tollgate::{Algorithm, Keyspace, ManualClock, Policy, Quota, RedisStore};

use crate::histories::{Operation, changing_histories};
use crate::support::child::{self, TestProcess};
use crate::support::random::{for_all, seed};
use crate::support::redis::Server;
use crate::support::stores::{
    HOUR, MINUTE, acquire_of, ask, charge, each_policy, patient, redis_store,
};
use crate::support::threads::{together, until};

/// Plays `history`; after each operation every key has a TTL, and those that were charged a
/// sufficient one.
fn play(
    server: &Server,
    store: &RedisStore,
    clock: &ManualClock,
    keyspace: &Keyspace,
    history: &[Operation],
) -> Result<(), TestCaseError> {
    let mut connection = server.connection();
    redis::cmd("FLUSHALL").exec(&mut connection).expect("a private Redis");
    let mut furthest = 0;
    for operation in history {
        clock.set(operation.now);
        let asked = acquire_of(keyspace, operation);
        let (seconds, micros): (u64, u64) =
            redis::cmd("TIME").query(&mut connection).expect("TIME");
        let answer = store.acquire(&asked).wait().expect("Redis answers");
        let dump = server.dump();
        for (key, entry) in &dump {
            let key = String::from_utf8_lossy(key);
            prop_assert!(entry.expires_at.is_some(), "{} never goes: {:?}", key, operation);
        }
        // A server whose clock steps back expires later, too; this clock is not the server's.
        let is_back = operation.now < furthest;
        furthest = operation.now.max(furthest);
        if answer.admitted == 0 || is_back {
            continue;
        }
        for (charge, standing) in asked.charges.iter().zip(&answer.standings) {
            let entry = &dump.get(charge.key.as_str().as_bytes());
            let expires_at = entry.and_then(|entry| entry.expires_at).unwrap_or(0);
            // Of the server's own time, for the expiry is.
            let whole_at = seconds * 1_000 + micros / 1_000 + standing.reset_after;
            prop_assert!(expires_at >= whole_at, "{} goes too soon: {:?}", charge.key, operation);
        }
    }
    Ok(())
}

#[test]
fn promise_6_every_key_has_a_ttl_that_outlives_its_use() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let store = redis_store(&server.url(), &clock);
    for_all(100, changing_histories(10..30), |number, history| {
        play(&server, &store, &clock, &Keyspace::new(format!("t{number}")), &history)
    });
}

#[test]
fn promise_6_a_bucket_that_takes_longer_to_fill_lengthens_the_ttl() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let store = redis_store(&server.url(), &clock);
    let bucket = |units, burst| {
        let quota = Quota::new(units, HOUR).expect("a quota");
        let policy = Policy::new("p", quota).expect("a name");
        Arc::new(policy.with_algorithm(Algorithm::TokenBucket { burst }).expect("a burst"))
    };
    // Five units are back in an hour, and with the next numbers in two hours, and in ten.
    let history = [bucket(5, 5), bucket(5, 10), bucket(1, 10)].map(|policy| Operation {
        now: 1_000 * HOUR,
        step: 0,
        identity: 0,
        policies: vec![policy],
        cost: 3,
        step_of_cost: 0,
        trials: Vec::new(),
        further: 0,
        count: 1,
    });
    play(&server, &store, &clock, &Keyspace::new("t"), &history).expect("a sufficient TTL");
}

#[test]
fn promise_6_a_ttl_that_a_wrong_clock_set_is_not_kept() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let store = redis_store(&server.url(), &clock);
    for policy in each_policy(5, HOUR) {
        let charge = charge("one", &policy);
        clock.set(2_000 * HOUR);
        assert_eq!(ask(&store, slice::from_ref(&charge), 1, 1).admitted, 1, "{charge:?}");
        server.tell(&["PEXPIRE", charge.key.as_str(), "600000"]);
        clock.set(1_000 * HOUR);
        let answer = ask(&store, slice::from_ref(&charge), 1, 1);
        let ttl = redis::cmd("PTTL").arg(charge.key.as_str()).query(&mut server.connection());
        let (ttl, whole_after): (u64, u64) = (ttl.expect("a TTL"), answer.standings[0].reset_after);
        // However long this took: the server's time goes on.
        assert!(ttl + MINUTE >= whole_after, "{} goes after {ttl} ms", charge.key);
    }
}

const ROUNDS: u64 = 6;

#[test]
fn promise_6_every_key_has_a_ttl_when_its_client_is_killed() {
    let server = Server::start();
    let seed = seed();
    for round in 0..ROUNDS {
        redis::cmd("FLUSHALL").exec(&mut server.connection()).expect("a private Redis");
        let mut client = TestProcess::start("ttl::a_process_to_be_killed", &server.url());
        client.go();
        // As many keys as that, at a moment that nobody chose.
        let keys = 1 + (seed >> (8 * round)) % 256;
        let mut connection = server.connection();
        until("the client writes", || {
            redis::cmd("DBSIZE").query::<u64>(&mut connection).expect("DBSIZE") > keys
        });
        client.kill();
        for (key, entry) in server.dump() {
            let key = String::from_utf8_lossy(&key);
            assert!(entry.expires_at.is_some(), "seed {seed}: {key} never goes, round {round}");
        }
    }
}

#[test]
#[ignore = "runs as a process that is killed"]
fn a_process_to_be_killed() {
    let Some(url) = child::begin() else { return };
    let store = Arc::new(RedisStore::start(&patient(&url)).expect("the private Redis answers"));
    together(4, move |thread| {
        for user in 0_u64.. {
            let user = format!("{thread} {user}");
            let charges = each_policy(5, HOUR).map(|policy| charge(&user, &policy));
            ask(&*store, &charges, 1, 3);
        }
    });
}
