//! Both stores, each by a clock that the test sets, and policies of every algorithm.

use std::sync::Arc;
use std::time::Duration;

use tollgate::store::{Acquire, Acquired, Charge, PenaltyKey, Store, Trial};
use tollgate::{
    Algorithm, Cost, Identity, Keyspace, ManualClock, MemoryStore, Policy, Quota, RedisOptions,
    RedisStore, Retry, Standing,
};

use super::redis::{Dump, Server};
use crate::histories::Operation;

/// Where the clocks of tests stand at first: 20 seconds into a minute, and into an hour.
pub(crate) const NOW: u64 = 1_700_002_820_000;

pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const HOUR: u64 = 60 * MINUTE;

/// Runs `test` on a new memory store, and on a new Redis.
pub(crate) fn on_each_store(test: impl Fn(&Stand)) {
    for stand in [Stand::memory(), Stand::redis()] {
        // Shown with a failure.
        println!("in {}", if stand.server.is_some() { "Redis" } else { "memory" });
        test(&stand);
    }
}

/// The Redis at `url`, with the patience that a busy machine needs.
pub(crate) fn patient(url: &str) -> RedisOptions {
    RedisOptions::new(url).timeout(Duration::from_secs(10))
}

/// The store in the Redis at `url`, by `clock`.
pub(crate) fn redis_store(url: &str, clock: &Arc<ManualClock>) -> RedisStore {
    let options = patient(url).clock(clock.clone());
    RedisStore::start(&options).expect("the private Redis answers")
}

/// A policy for each algorithm, named after it, of `units` per `window`.
pub(crate) fn each_policy(units: u64, window: u64) -> [Arc<Policy>; 4] {
    ["fixed-window", "sliding-window", "sliding-log", "token-bucket"]
        .map(|algorithm| policy(algorithm, algorithm, units, window))
}

/// A policy called `name`; a token bucket holds one whole quota.
pub(crate) fn policy(name: &str, algorithm: &str, units: u64, window: u64) -> Arc<Policy> {
    let quota = Quota::new(units, window).expect("a quota");
    let algorithm = Algorithm::named(algorithm, quota).expect("an algorithm");
    let policy = Policy::new(name, quota).expect("a plain name");
    Arc::new(policy.with_algorithm(algorithm).expect("a quota that it can count"))
}

/// One store, and its clock.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn Store>,
    memory: Option<Arc<MemoryStore>>,
    pub(crate) server: Option<Server>,
}

impl Stand {
    pub(crate) fn memory() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        let memory = Arc::new(MemoryStore::with_clock(100_000, clock.clone()));
        Self { clock, store: memory.clone(), memory: Some(memory), server: None }
    }

    pub(crate) fn redis() -> Self {
        let server = Server::start();
        let clock = Arc::new(ManualClock::new(NOW));
        let store = Arc::new(redis_store(&server.url(), &clock));
        Self { clock, store, memory: None, server: Some(server) }
    }

    /// An empty memory store by the same clock.
    pub(crate) fn fresh_memory(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::with_clock(100_000, self.clock.clone()))
    }

    /// Asks for `count` requests of `cost` under all of `charges`.
    pub(crate) fn acquire(&self, charges: &[Charge], cost: u64, count: u32) -> Acquired {
        ask(&*self.store, charges, cost, count)
    }

    /// Whether one request of `cost` is admitted.
    pub(crate) fn admits(&self, charges: &[Charge], cost: u64) -> bool {
        self.acquire(charges, cost, 1).admitted == 1
    }

    /// Where a key stands for a request of `cost`.
    pub(crate) fn peek(&self, charge: &Charge, cost: u64) -> Standing {
        self.acquire(std::slice::from_ref(charge), cost, 0).standings[0]
    }

    /// Everything that can be known of `charges`: all that Redis holds, or how many keys memory
    /// holds; and where each charge stands, now and later.
    pub(crate) fn image(&self, charges: &[Charge], now: u64) -> Image {
        let mut standings = Vec::new();
        for charge in charges {
            let window = charge.policy.quota().window().longest();
            for later in [0, 1, window / 4, window / 2, window - 1, window, 2 * window] {
                self.clock.set(now + later);
                standings.push(self.peek(charge, 1));
            }
        }
        self.clock.set(now);
        let keys = self.memory.as_ref().map(|memory| memory.len());
        Image { standings, keys, dump: self.server.as_ref().map(dump) }
    }
}

/// What [`Stand::image`] finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    standings: Vec<Standing>,
    keys: Option<usize>,
    dump: Option<Dump>,
}

/// What requests have left in `server`: all but the key of the store's probe, which comes and goes.
pub(crate) fn dump(server: &Server) -> Dump {
    let mut dump = server.dump();
    dump.retain(|key, _| !key.starts_with(b"tollgate:{probe"));
    dump
}

/// The charge of user `user` under `policy`.
pub(crate) fn charge(user: &str, policy: &Arc<Policy>) -> Charge {
    let key = Keyspace::new("test").key(&Identity::user(user), policy);
    Charge::new(policy.clone(), key)
}

/// What `store` answers to `count` requests of `cost` under all of `charges`.
pub(crate) fn ask(store: &dyn Store, charges: &[Charge], cost: u64, count: u32) -> Acquired {
    let cost = Cost::new(cost).expect("a cost");
    let acquire = Acquire::new(charges.to_vec(), count).at_cost(cost);
    store.acquire(&acquire).wait().expect("the store answers")
}

/// What `operation` asks, under keys of `keyspace`.
pub(crate) fn acquire_of(keyspace: &Keyspace, operation: &Operation) -> Acquire {
    let identity = Identity::user(operation.identity.to_string());
    let charge = |index: usize, policy: &Arc<Policy>| {
        let cost = Cost::new(operation.cost_under(index)).expect("a cost");
        Charge::new(policy.clone(), keyspace.key(&identity, policy)).with_cost(cost)
    };
    let charges = operation.policies.iter().enumerate().map(|(index, it)| charge(index, it));
    let count = u32::try_from(operation.count).expect("a small count");
    let acquire = Acquire::new(charges.collect(), count);
    let met = operation.policies.iter().enumerate();
    let penalties = met.filter_map(|(index, policy)| {
        let key = keyspace.penalty_key(&keyspace.key(&identity, policy), policy);
        let quotas = operation.quotas_of(index);
        (quotas.start == index).then_some(PenaltyKey::new(quotas, *policy.penalty()?, key))
    });
    let acquire = penalties.fold(acquire, Acquire::with_penalty);
    let trials = operation.trials.iter().filter(|_| operation.count > 0);
    trials.enumerate().fold(acquire, |mut acquire, (index, (policy, replaced))| {
        // A trial costs what the policy costs in whose place it is.
        let charge = charge(replaced.unwrap_or(0), policy);
        match acquire.trials.last_mut().filter(|_| operation.is_further_trial(index)) {
            Some(trial) => trial.further.push(charge),
            None => {
                let replaces = replaced.map(|index| operation.quotas_of(index));
                acquire.trials.push(Trial::new(charge, replaces));
            }
        }
        acquire
    })
}

/// How long a denied request is told to wait.
pub(crate) fn wait_of(standings: &[Standing]) -> u64 {
    match standings.iter().fold(Retry::Now, |retry, it| retry.later(it.retry)) {
        Retry::After(wait) => wait,
        retry => panic!("no wait but {retry:?}: {standings:?}"),
    }
}
