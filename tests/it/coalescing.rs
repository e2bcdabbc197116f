//! Requests that wait together are sent as one call. Each is answered as if they had come one after
//! another, with every number of every algorithm.

use std::sync::Arc;

use proptest::prelude::*;
use redis::Connection;
use tollgate::store::{Acquire, Acquired, Store as _};
use tollgate::{Keyspace, ManualClock, MemoryStore, RedisStore, Retry};

use crate::histories::{Operation, changing_histories};
use crate::support::random::for_all;
use crate::support::redis::Server;
use crate::support::stores::{NOW, acquire_of, patient};
use crate::support::threads::until;

/// So many requests wait together.
const TOGETHER: usize = 8;

/// A Redis that is held up while requests gather, and a store with one dispatcher.
struct Trial {
    redis: Connection,
    clock: Arc<ManualClock>,
    store: RedisStore,
    requests: u64,
    _server: Server,
}

impl Trial {
    fn new() -> Self {
        let server = Server::start();
        let clock = Arc::new(ManualClock::new(NOW));
        let options = patient(&server.url()).connections(1).clock(clock.clone());
        let store = RedisStore::start(&options).expect("the private Redis answers");
        Self { redis: server.connection(), clock, store, requests: 0, _server: server }
    }

    /// Asks for all of `asked` while a peek is under way, so that they go out together after it.
    fn ask_together(&mut self, asked: &[Acquire]) -> Vec<Acquired> {
        let mut pause = redis::cmd("CLIENT");
        pause.arg("PAUSE").arg(60_000).arg("WRITE").exec(&mut self.redis).expect("PAUSE");
        let peek = Acquire::new(asked[0].charges.clone(), 0);
        let before = self.store.acquire(&peek);
        until("a call is under way", || {
            let info: String =
                redis::cmd("INFO").arg("clients").query(&mut self.redis).expect("INFO");
            info.contains("blocked_clients:1")
        });
        let answers: Vec<_> = asked.iter().map(|it| self.store.acquire(it)).collect();
        redis::cmd("CLIENT").arg("UNPAUSE").exec(&mut self.redis).expect("UNPAUSE");
        before.wait().expect("an answer");
        self.requests += asked.len() as u64 + 1;
        answers.into_iter().map(|answer| answer.wait().expect("an answer")).collect()
    }

    /// Plays `history` in groups that wait together, each under the policies, the cost and the clock of
    /// its first operation.
    fn play(&mut self, number: u64, history: &[Operation]) -> Result<(), TestCaseError> {
        let keyspace = Keyspace::new(format!("t{number}"));
        let one_by_one = MemoryStore::with_clock(1_000, self.clock.clone());
        for group in history.chunks(TOGETHER) {
            let first = &group[0];
            self.clock.set(first.now);
            let alike = |it: &Operation| Operation {
                identity: it.identity % 2,
                count: it.count.min(5),
                ..first.clone()
            };
            let mut asked: Vec<Acquire> =
                group.iter().map(|it| acquire_of(&keyspace, &alike(it))).collect();
            // Peeks are answered as the last of their call.
            asked.sort_by_key(|it| it.count == 0);
            let together = self.ask_together(&asked);
            for (asked, together) in asked.iter().zip(&together) {
                let (together, alone) =
                    (without_waits(together), without_waits(&one_by_one.acquire_now(asked)));
                prop_assert_eq!(together, alone, "{:?} of {:?}", asked, group);
            }
        }
        Ok(())
    }

    /// Calls of the script since the store was started.
    fn calls(&mut self) -> u64 {
        let stats: String =
            redis::cmd("INFO").arg("commandstats").query(&mut self.redis).expect("INFO");
        let (_, calls) = stats.split_once("cmdstat_evalsha:calls=").expect("there were some");
        calls.split(',').next().and_then(|it| it.parse().ok()).expect("a number")
    }
}

/// An answer without the waits of trials: all of a call are told when the next request after the call would pass.
fn without_waits(answer: &Acquired) -> Acquired {
    let mut answer = answer.clone();
    answer.trials.iter_mut().for_each(|trial| trial.retry = Retry::Now);
    answer
}

#[test]
fn promise_8_requests_that_wait_together_are_answered_as_if_one_had_come_after_another() {
    let mut trial = Trial::new();
    for_all(150, changing_histories(8..40), |number, history| trial.play(number, &history));
    let (calls, requests) = (trial.calls(), trial.requests);
    assert!(2 * calls < requests, "{requests} requests went out as {calls} calls");
}
