//! Promise 8: both stores decide alike, and as an independent model does.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use tollgate::{
    Acquire, Acquired, Charge, Cost, Identity, Keyspace, ManualClock, MemoryStore, RedisOptions,
    RedisStore, Store,
};

use crate::histories::{Operation, changing_histories, histories};
use crate::model::{self, Model};
use crate::support::redis::Server;

/// Histories a run; together they make more than 10,000 operations.
const HISTORIES: u32 = 600;
const OPERATIONS: std::ops::Range<usize> = 10..50;

/// Redis, and the clock that it shares with the memory store and the model.
struct Trial {
    clock: Arc<ManualClock>,
    redis: RedisStore,
    operations: u64,
}

impl Trial {
    fn new(server: &Server) -> Self {
        let clock = Arc::new(ManualClock::new(1));
        let options = RedisOptions { clock: Some(clock.clone()), ..patient(&server.url()) };
        let redis = RedisStore::start(&options).expect("the private Redis answers");
        Self { clock, redis, operations: 0 }
    }

    /// Plays `history` under keys of its own.
    fn play(&mut self, number: u64, history: &[Operation]) -> Result<(), TestCaseError> {
        let keyspace = Keyspace::new(format!("t{number}"));
        let mut model = Model::new();
        // A store of its own, too: in a crowded one a key may be gone that was whole again under the
        // quota it was charged under, though a longer one would still have counted it.
        let memory = MemoryStore::with_clock(1_000, self.clock.clone());
        for operation in history {
            self.operations += 1;
            self.clock.set(operation.now);
            let acquire = acquire(&keyspace, operation);
            let charges: Vec<model::Charge> = acquire.charges.iter().map(of_model).collect();
            let (cost, count) = (operation.cost, operation.count);
            let expected = model.acquire(operation.now, &charges, cost, count);
            let expected =
                Acquired { admitted: small(expected.admitted), standings: expected.standings };
            let memory = memory.acquire(acquire.clone()).wait().expect("memory has room");
            prop_assert_eq!(&memory, &expected, "memory at {:?}", operation);
            let redis = self.redis.acquire(acquire).wait().expect("Redis answers");
            prop_assert_eq!(&redis, &expected, "Redis at {:?}", operation);
        }
        Ok(())
    }
}

fn patient(url: &str) -> RedisOptions {
    RedisOptions { timeout: std::time::Duration::from_secs(10), ..RedisOptions::new(url) }
}

fn acquire(keyspace: &Keyspace, operation: &Operation) -> Acquire {
    let identity = Identity::user(operation.identity.to_string());
    let charge = |policy: &Arc<tollgate::Policy>| Charge {
        policy: policy.clone(),
        key: keyspace.key(&identity, policy),
    };
    Acquire {
        charges: operation.policies.iter().map(charge).collect(),
        cost: Cost::new(operation.cost).expect("a cost"),
        count: small(operation.count),
    }
}

fn of_model(charge: &Charge) -> model::Charge {
    model::Charge { key: charge.key.to_string(), policy: charge.policy.clone() }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("a small count")
}

fn run(strategy: impl Strategy<Value = Vec<Operation>>) -> u64 {
    let server = Server::start();
    let trial = std::cell::RefCell::new(Trial::new(&server));
    let number = std::cell::Cell::new(0);
    let seed = RandomState::new().hash_one(HISTORIES);
    let config = Config {
        cases: HISTORIES,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&strategy, |history| {
        number.set(number.get() + 1);
        trial.borrow_mut().play(number.get(), &history)
    });
    if let Err(failure) = played {
        panic!("seed {seed}: {failure}");
    }
    trial.into_inner().operations
}

#[test]
fn promise_8_both_stores_decide_alike() {
    let operations = run(histories(OPERATIONS));
    assert!(operations >= 10_000, "only {operations} operations");
}

#[test]
fn promise_8_both_stores_decide_alike_while_quotas_change() {
    run(changing_histories(OPERATIONS));
}
