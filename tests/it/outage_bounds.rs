//! The most and the fewest requests that clients are admitted while something happens to Redis under
//! traffic: one quota, and what docs/src/outages.md adds to it for each case.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tollgate::store::RedisStatus;
use tollgate::{Client, Cost, Limiter, OnStoreFailure, RedisStore};

use crate::support::redis::Server;
use crate::support::threads::until;
use crate::support::traffic::{THREADS, answer, check, limiter_of, options, store, under_traffic};

const QUOTA: usize = 3_000;

/// What came of one case.
#[derive(Debug)]
struct Outcome {
    /// What was admitted before anything happened, and in all.
    before: usize,
    total: usize,
    status: RedisStatus,
    /// What Redis says is used when all is over.
    used: usize,
}

/// How clients are counted. All clocks stand still, so that no algorithm forgets anything, and every
/// one admits a quota.
#[derive(Clone, Copy, Debug)]
struct Case {
    algorithm: &'static str,
    connections: usize,
    /// What is added to the server's URL.
    credentials: &'static str,
}

const USUAL: Case = Case { algorithm: "fixed-window", connections: 2, credentials: "" };

const ALGORITHMS: [&str; 4] = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"];

/// Lets three threads use up one user's quota while `happen` happens, after a third of it.
fn in_mid_traffic(happen: impl FnOnce(&mut Server, &RedisStore, &AtomicUsize)) -> Outcome {
    USUAL.in_mid_traffic(happen)
}

impl Case {
    fn in_mid_traffic(
        self,
        happen: impl FnOnce(&mut Server, &RedisStore, &AtomicUsize),
    ) -> Outcome {
        over(self, |server, store, answered| {
            server.resume();
            happen(server, store, answered);
        })
    }
}

/// The same with a server that stands still, so that it is known what it has counted.
fn over(case: Case, happen: impl FnOnce(&mut Server, &RedisStore, &AtomicUsize)) -> Outcome {
    let Case { algorithm, connections, credentials } = case;
    let mut server = Server::start();
    server.tell(&["ACL", "SETUSER", "tollgate", "on", ">secret", "~*", "+@all"]);
    let url = format!("{}{credentials}", server.url());
    let store = store(&options(&url).connections(connections));
    let limiter = limiter_of(algorithm, &store, QUOTA as u64, OnStoreFailure::Local);
    let total = Arc::new(AtomicUsize::new(0));
    let (asks, counts, mut before) = (limiter.clone(), total.clone(), 0);
    under_traffic(
        move |_, _| {
            let decision = check(&asks, "one").expect("a decision, with or without Redis");
            counts.fetch_add(usize::from(decision.is_allowed()), Ordering::SeqCst);
        },
        |answered| {
            answer(QUOTA / 3, answered);
            server.pause();
            before = total.load(Ordering::SeqCst);
            happen(&mut server, &store, answered);
            until("the store is up", || store.is_up());
            // Until nobody is let in any more.
            let mut last = 0;
            while last != total.load(Ordering::SeqCst) {
                last = total.load(Ordering::SeqCst);
                answer(QUOTA / 3, answered);
            }
        },
    );
    let counted = server.dump().keys().any(|key| key.starts_with(b"tollgate:{user:one}"));
    assert!(counted, "it counts in Redis");
    let used = QUOTA - left(&limiter);
    Outcome { before, total: total.load(Ordering::SeqCst), status: store.status(), used }
}

/// What remains of the user's quota.
fn left(limiter: &Limiter) -> usize {
    let policies = limiter.policies(["p"]).expect("it exists");
    let peek = limiter.peek(&policies, Cost::ONE, &Client::user("one"));
    let decision = peek.wait().expect("Redis answers");
    let (_, standing) = decision.policies().next().expect("one policy");
    usize::try_from(standing.remaining).expect("a small number")
}

/// That clients got one quota and no more than `extra` beyond it, and that Redis knows it is used up.
#[track_caller]
fn assert_admitted(outcome: &Outcome, extra: usize) {
    let Outcome { total, used, .. } = outcome;
    assert!((QUOTA..=QUOTA + extra).contains(total), "{extra} beyond a quota: {outcome:?}");
    assert_eq!(*used, QUOTA, "{outcome:?}");
}

impl Outcome {
    /// Each thread has one request under way, at each call that failed and at the return.
    fn under_way(&self) -> usize {
        let failures = usize::try_from(self.status.failures).expect("a small number");
        assert!(failures < 20, "{self:?}");
        (failures + 1) * THREADS
    }
}

#[test]
fn nothing_is_lost_when_the_script_is_flushed() {
    let outcome = in_mid_traffic(|server, _, answered| {
        for _ in 0..5 {
            server.tell(&["SCRIPT", "FLUSH"]);
            answer(50, answered);
        }
    });
    assert_eq!((outcome.status.outages, outcome.status.unanswered), (0, 0));
    assert_admitted(&outcome, 0);
}

#[test]
fn killed_connections_are_no_outage_however_many_they_are() {
    for connections in [1, 2, 16] {
        let outcome = Case { connections, ..USUAL }.in_mid_traffic(|server, _, answered| {
            for _ in 0..5 {
                server.tell(&["CLIENT", "KILL", "TYPE", "normal"]);
                answer(50, answered);
            }
        });
        assert_eq!(outcome.status.outages, 0, "{connections}: {outcome:?}");
        let failed = usize::try_from(outcome.status.unanswered).expect("a small number");
        // On dispatchers that had taken a connection before the first was found dead.
        assert!(failed <= 5 * 2 * THREADS, "{connections}: {outcome:?}");
        assert_admitted(&outcome, failed);
    }
}

#[test]
fn a_redis_that_hangs_and_goes_on_costs_no_more_than_was_under_way() {
    for algorithm in ALGORITHMS {
        let outcome = Case { algorithm, ..USUAL }.in_mid_traffic(|server, store, answered| {
            server.pause();
            until("the store goes down", || !store.is_up());
            answer(QUOTA / 6, answered);
            server.resume();
        });
        assert_eq!(outcome.status.outages, 1, "{algorithm}: {outcome:?}");
        assert_admitted(&outcome, outcome.under_way());
    }
}

#[test]
fn clients_that_redis_pauses_cost_no_more_than_was_under_way() {
    let outcome = in_mid_traffic(|server, store, answered| {
        server.tell(&["CLIENT", "PAUSE", "700"]);
        until("the store goes down", || !store.is_up());
        answer(QUOTA / 6, answered);
    });
    assert_admitted(&outcome, outcome.under_way());
}

#[test]
fn a_full_redis_costs_no_more_than_was_under_way_at_its_return() {
    let outcome = in_mid_traffic(|server, store, answered| {
        server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
        until("the store goes down", || !store.is_up());
        assert_eq!(store.status().cause, Some("out of memory"));
        answer(QUOTA / 6, answered);
        server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
    });
    assert_eq!(outcome.status.outages, 1, "{outcome:?}");
    assert_admitted(&outcome, THREADS);
}

#[test]
fn a_primary_that_becomes_a_replica_and_a_primary_again_costs_what_was_under_way_at_its_return() {
    let outcome = in_mid_traffic(|server, store, answered| {
        // Of a primary that is not there.
        server.tell(&["REPLICAOF", "127.0.0.1", "1"]);
        until("the store goes down", || !store.is_up());
        assert_eq!(store.status().cause, Some("read-only replica"));
        answer(QUOTA / 6, answered);
        server.tell(&["REPLICAOF", "NO", "ONE"]);
    });
    assert_admitted(&outcome, THREADS);
}

#[test]
fn rights_that_are_taken_and_given_back_cost_no_more_than_was_under_way() {
    // Without the first, no script is run; without the second, one may end in the midst of a batch.
    for right in ["evalsha", "setrange"] {
        let rule = |server: &Server, sign| {
            server.tell(&["ACL", "SETUSER", "tollgate", &format!("{sign}{right}")]);
        };
        let credentials = "?user=tollgate&pass=secret";
        let case = Case { algorithm: "sliding-window", credentials, ..USUAL };
        let outcome = case.in_mid_traffic(|server, store, answered| {
            rule(server, '-');
            until("the store goes down", || !store.is_up());
            assert_eq!(store.status().cause, Some("missing permission"), "{right}");
            answer(QUOTA / 6, answered);
            rule(server, '+');
        });
        assert_eq!(outcome.status.outages, 1, "{right}: {outcome:?}");
        let under_way = if right == "evalsha" { THREADS } else { outcome.under_way() };
        assert_admitted(&outcome, under_way);
    }
}

#[test]
fn a_redis_that_is_killed_and_comes_back_empty_costs_what_it_had_counted_as_well() {
    for algorithm in ALGORITHMS {
        let outcome = over(Case { algorithm, ..USUAL }, |server, store, answered| {
            server.kill();
            until("the store goes down", || !store.is_up());
            answer(QUOTA / 6, answered);
            server.restart();
        });
        assert_eq!(outcome.status.outages, 1, "{algorithm}: {outcome:?}");
        assert_admitted(&outcome, outcome.before + outcome.under_way());
        // What was admitted in the outage is not forgotten.
        let least = QUOTA / 6 - outcome.under_way();
        assert!(outcome.status.charged_back >= least as u64, "{algorithm}: {outcome:?}");
    }
}

#[test]
fn a_restart_in_order_costs_no_more_than_a_crash() {
    let outcome = in_mid_traffic(|server, store, answered| {
        server.stop();
        until("the store goes down", || !store.is_up());
        answer(QUOTA / 6, answered);
        server.restart();
    });
    // It goes on counting until it ends.
    assert_admitted(&outcome, QUOTA);
}
