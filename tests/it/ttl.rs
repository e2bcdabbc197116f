//! Promise 6: no key without a TTL, after any operation and any crash, and none too short to
//! change a decision. What something else wrote under a key of ours is no state.

use std::slice;
use std::sync::Arc;

use proptest::prelude::*;
use redis::{Commands as _, Connection, RedisResult};
use tollgate::{Charge, Keyspace, ManualClock, Policy, RedisStore, Store};

use crate::histories::{Operation, changing_histories};
use crate::support::child::{self, Process};
use crate::support::random::{for_all, seed};
use crate::support::redis::Server;
use crate::support::stores::{
    HOUR, MINUTE, Stand, acquire_of, ask, charge, each_policy, patient, redis_store,
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
fn promise_6_a_longer_window_lengthens_the_ttl() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let store = redis_store(&server.url(), &clock);
    for (short, long) in each_policy(5, MINUTE).into_iter().zip(each_policy(5, HOUR)) {
        // Where a window of each begins: the state tells them apart by their length alone.
        let asks = |policy| Operation {
            now: 1_000 * HOUR,
            step: 0,
            identity: 0,
            policies: vec![policy],
            cost: 1,
            count: 1,
        };
        let history = [short, long].map(asks);
        play(&server, &store, &clock, &Keyspace::new("t"), &history).expect("a sufficient TTL");
    }
}

#[test]
fn promise_6_a_ttl_that_a_wrong_clock_set_is_not_kept() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1));
    let store = redis_store(&server.url(), &clock);
    for (long, short) in each_policy(5, HOUR).into_iter().zip(each_policy(5, MINUTE)) {
        let charges = [long, short].map(|policy| charge("one", &policy));
        for (charge, now) in charges.iter().zip([2_000 * HOUR, 1_000 * HOUR]) {
            clock.set(now);
            assert_eq!(ask(&store, slice::from_ref(charge), 1, 1).admitted, 1, "{charge:?}");
        }
        let mut connection = server.connection();
        let ttl = redis::cmd("PTTL").arg(charges[1].key.as_str()).query(&mut connection);
        let ttl: u64 = ttl.expect("a TTL");
        assert!(ttl <= 3 * MINUTE, "{} stays for {ttl} ms", charges[1].key);
    }
}

const ROUNDS: u64 = 6;

#[test]
fn promise_6_every_key_has_a_ttl_when_its_client_is_killed() {
    let server = Server::start();
    let seed = seed();
    for round in 0..ROUNDS {
        redis::cmd("FLUSHALL").exec(&mut server.connection()).expect("a private Redis");
        let mut client = Process::start("ttl::a_process_to_be_killed", &server.url());
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

/// Values that no store wrote.
const FOREIGN: [fn(&mut Connection, &str) -> RedisResult<()>; 15] = [
    |redis, key| redis.lpush(key, "1 2 3"),
    |redis, key| redis.hset(key, "field", "1 2 3"),
    |redis, key| redis.sadd(key, "1 2 3"),
    |redis, key| redis.zadd(key, "hello", 17),
    |redis, key| redis.zadd(key, "1 hello", f64::INFINITY),
    |redis, key| redis.zadd(key, format!("{0} {0}", "9".repeat(400)), 17),
    |redis, key| redis.set(key, ""),
    |redis, key| redis.set(key, "hello"),
    |redis, key| redis.set(key, "-1 -2 -3"),
    |redis, key| redis.set(key, "1e3 0x10 nan"),
    |redis, key| redis.set(key, &[0_u8, 255, 10]),
    |redis, key| redis.set(key, format!("{0} {0} {0}", "9".repeat(400))),
    // As long as what is packed there.
    |redis, key| redis.set(key, &[255_u8; 21]),
    |redis, key| redis.set(key, &[255_u8; 28]),
    |redis, key| redis.set(key, "1790000000000 12 3456"),
];

#[test]
fn promise_6_foreign_values_count_as_no_state_and_are_written_over() {
    let stand = Stand::redis();
    let server = stand.server.as_ref().expect("it has one");
    let mut connection = server.connection();
    for policy in each_policy(5, HOUR) {
        let other = charge("other", &policy);
        assert!(stand.admits(std::slice::from_ref(&other), 2));
        for (i, write) in FOREIGN.iter().enumerate() {
            println!("{} finds value {i}", policy.name());
            foreign_value(&stand, &mut connection, *write, &policy, &other);
        }
    }
    assert!(server.dump().values().all(|entry| entry.expires_at.is_some()));
}

fn foreign_value(
    stand: &Stand,
    connection: &mut Connection,
    write: fn(&mut Connection, &str) -> RedisResult<()>,
    policy: &Arc<Policy>,
    other: &Charge,
) {
    let found = charge("found", policy);
    let key = found.key.as_str();
    let () = connection.del(key).expect("DEL");
    write(connection, key).expect("a value of some type");
    let before = other_image(stand, other);
    assert_eq!(stand.peek(&found, 1).remaining, 5);
    assert_eq!(stand.acquire(std::slice::from_ref(&found), 6, 1).admitted, 0);
    assert_eq!(stand.acquire(std::slice::from_ref(&found), 1, 3).admitted, 3);
    assert_eq!(stand.peek(&found, 1).remaining, 2);
    assert_eq!(stand.acquire(std::slice::from_ref(&found), 1, 3).admitted, 2);
    assert_eq!(other_image(stand, other), before);
}

/// What Redis holds under the key of `other`.
fn other_image(stand: &Stand, other: &Charge) -> Option<crate::support::redis::Entry> {
    let server = stand.server.as_ref().expect("a Redis");
    server.dump().remove(other.key.as_str().as_bytes())
}
