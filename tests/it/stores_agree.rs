//! Promise 8: both stores decide alike, and as an independent model does.

use std::sync::Arc;

use proptest::prelude::*;
use tollgate::store::{Acquired, Ban, Charge, PenaltyKey, Store, TrialAnswer};
use tollgate::{Keyspace, ManualClock, MemoryStore, RedisStore};

use crate::histories::{Operation, changing_histories, histories};
use crate::model::{self, Model};
use crate::support::random::for_all;
use crate::support::redis::Server;
use crate::support::stores::{acquire_of, redis_store};

/// Histories a run; together they make more than 10,000 operations.
const HISTORIES: u32 = 600;
const OPERATIONS: std::ops::Range<usize> = 10..50;

/// Redis, and the clock that it shares with the memory store and the model.
struct Trial {
    clock: Arc<ManualClock>,
    redis: RedisStore,
    operations: u64,
    trials: usize,
    /// Operations with a penalty or a trial of a policy with several quotas.
    several: usize,
    bans: usize,
}

impl Trial {
    fn new(server: &Server) -> Self {
        let clock = Arc::new(ManualClock::new(1));
        let redis = redis_store(&server.url(), &clock);
        Self { clock, redis, operations: 0, trials: 0, several: 0, bans: 0 }
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
            let acquire = acquire_of(&keyspace, operation);
            let charges: Vec<model::Charge> = acquire.charges.iter().map(of_model).collect();
            let count = operation.count;
            let tried = |it: &tollgate::store::Trial| model::Tried {
                charges: it.charges().map(of_model).collect(),
                replaces: it.replaces.clone(),
            };
            let trials: Vec<_> = acquire.trials.iter().map(tried).collect();
            let penalized: Vec<_> = acquire.penalties.iter().map(penalized_of).collect();
            let now = operation.now;
            let (outcome, tried, ban) = if trials.is_empty() {
                let (outcome, ban) = model.acquire_with_penalties(now, &charges, &penalized, count);
                (outcome, Vec::new(), ban)
            } else {
                model.acquire_with_trials(now, &charges, &trials, &penalized, count)
            };
            self.trials += tried.len();
            self.several += usize::from(acquire.trials.iter().any(|it| !it.further.is_empty()));
            self.several += usize::from(acquire.penalties.iter().any(|it| it.charges.len() > 1));
            self.bans += usize::from(ban.is_some());
            let expected =
                Acquired::new(small(outcome.admitted), outcome.standings).decided_at(now);
            let answer = |it: &model::TrialOutcome| TrialAnswer::new(small(it.admitted), it.retry);
            let expected = tried.iter().map(answer).fold(expected, Acquired::with_trial);
            let expected = match ban {
                Some(ban) => {
                    expected.with_ban(Ban::new(ban.penalty, ban.lasts, small(ban.decided)))
                }
                None => expected,
            };
            let memory = memory.acquire(&acquire).wait().expect("memory has room");
            prop_assert_eq!(&memory, &expected, "memory at {:?}", operation);
            let redis = self.redis.acquire(&acquire).wait().expect("Redis answers");
            prop_assert_eq!(&redis, &expected, "Redis at {:?}", operation);
        }
        Ok(())
    }
}

pub(crate) fn of_model(charge: &Charge) -> model::Charge {
    let cost = charge.cost.units();
    model::Charge { key: charge.key.to_string(), policy: charge.policy.clone(), cost }
}

fn penalized_of(it: &PenaltyKey) -> model::Penalized {
    model::Penalized { charges: it.charges.clone(), penalty: it.penalty, key: it.key.to_string() }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).expect("a small count")
}

fn run(strategy: impl Strategy<Value = Vec<Operation>>) -> u64 {
    let server = Server::start();
    let mut trial = Trial::new(&server);
    for_all(HISTORIES, strategy, |number, history| trial.play(number, &history));
    assert!(trial.trials > 1_000, "{} policies were tried out", trial.trials);
    assert!(trial.several > 500, "{} policies had several quotas", trial.several);
    assert!(trial.bans > 500, "{} requests were refused because of a ban", trial.bans);
    trial.operations
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
