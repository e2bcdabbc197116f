//! Charges that are given back: both stores do it alike, and as an independent model does, and each once.

use std::ops::Range;
use std::sync::Arc;
use std::thread;

use proptest::collection::vec;
use proptest::prelude::*;
use tollgate::store::{Acquire, Acquired, Charge, Refund, Refunded, Store};
use tollgate::{
    Cost, Identity, Keyspace, ManualClock, MemoryStore, Policy, RedisOptions, RedisStore,
};

use crate::histories::{Operation, histories};
use crate::model::{self, Model};
use crate::stores_agree::of_model;
use crate::support::cluster::Cluster;
use crate::support::random::for_all;
use crate::support::redis::Server;
use crate::support::stores::{acquire_of, redis_store};

/// Histories, each of so many operations.
const HISTORIES: u32 = 400;
const OPERATIONS: Range<usize> = 10..50;

/// What was charged, and when.
type Charged = (Charge, u64);

/// Redis, and the clock that it shares with the memory store and the model.
struct Trial {
    clock: Arc<ManualClock>,
    redis: RedisStore,
}

impl Trial {
    fn new(server: &Server) -> Self {
        let clock = Arc::new(ManualClock::new(1));
        Self { redis: redis_store(&server.url(), &clock), clock }
    }

    /// Plays `history` under a clock that never steps back, and gives charges back in between. Returns how many units
    /// that were.
    fn play(
        &mut self,
        number: u64,
        history: &[Operation],
        refunds: &[RoughRefund],
    ) -> Result<u64, TestCaseError> {
        let keyspace = Keyspace::new(format!("r{number}"));
        let (mut model, mut charged) = (Model::new(), Vec::<Charged>::new());
        let memory = MemoryStore::with_clock(1_000, self.clock.clone());
        let (mut now, mut sum) = (0, 0);
        for (operation, refund) in history.iter().zip(refunds.iter().cycle()) {
            now = operation.now.max(now);
            self.clock.set(now);
            let plain = Operation { now, trials: Vec::new(), ..operation.clone() };
            let mut acquire = acquire_of(&keyspace, &plain);
            acquire.penalties.clear();
            let charges: Vec<model::Charge> = acquire.charges.iter().map(of_model).collect();
            let outcome = model.acquire(now, &charges, plain.count);
            let admitted = outcome.admitted;
            let expected =
                Acquired::new(u32::try_from(admitted).expect("a small count"), outcome.standings)
                    .decided_at(now);
            let found = memory.acquire(&acquire).wait().expect("memory has room");
            prop_assert_eq!(&found, &expected, "memory at {:?}", plain);
            let found = self.redis.acquire(&acquire).wait().expect("Redis answers");
            prop_assert_eq!(&found, &expected, "Redis at {:?}", plain);
            let units = |charge: &Charge| Cost::new(admitted.saturating_mul(charge.cost.units()));
            let of_this = acquire
                .charges
                .iter()
                .filter_map(|charge| Some((charge.clone().with_cost(units(charge)?), now)));
            charged.extend(of_this);

            let Some((charge, at)) = refund.pick(&charged) else { continue };
            let asked = Refund::new(charge.clone());
            let asked = if refund.is_last { asked } else { asked.charged_at(*at) };
            let given = model.refund(now, &of_model(charge), asked.charged_at);
            let given = Ok(vec![Refunded::Given(given)]);
            let found = memory.refund(vec![asked.clone()]).wait();
            prop_assert_eq!(
                &found.map_err(|it| it.kind()),
                &given,
                "memory at {}: {:?}",
                now,
                asked
            );
            let found = self.redis.refund(vec![asked.clone()]).wait();
            prop_assert_eq!(
                &found.map_err(|it| it.kind()),
                &given,
                "Redis at {}: {:?}",
                now,
                asked
            );
            if let Ok([Refunded::Given(given)]) = given.as_deref() {
                sum += given;
            }
        }
        Ok(sum)
    }
}

/// Which of the charges before is given back.
#[derive(Clone, Copy, Debug)]
struct RoughRefund {
    /// So many charges ago; `None` for none.
    ago: Option<usize>,
    /// Whether it is asked for as what was charged last.
    is_last: bool,
}

impl RoughRefund {
    fn pick(self, charged: &[Charged]) -> Option<&Charged> {
        charged.len().checked_sub(1 + self.ago?).map(|index| &charged[index])
    }
}

fn refunds() -> impl Strategy<Value = Vec<RoughRefund>> {
    let ago = prop_oneof![Just(None), (0..6_usize).prop_map(Some)];
    let one = (ago, any::<bool>()).prop_map(|(ago, is_last)| RoughRefund { ago, is_last });
    vec(one, 1..20)
}

#[test]
fn promise_8_both_stores_give_back_alike() {
    let server = Server::start();
    let mut trial = Trial::new(&server);
    let mut given = 0;
    for_all(HISTORIES, (histories(OPERATIONS), refunds()), |number, (history, refunds)| {
        given += trial.play(number, &history, &refunds)?;
        Ok(())
    });
    assert!(given > 1_000, "{given} units were given back");
}

/// What `store` gives back of a charge of 3 units that was made at its present time, when asked three times under one
/// mark, and then under another one.
fn given_in_turn(store: &dyn Store, prefix: &str) -> Vec<Refunded> {
    let policy = Arc::new(Policy::new("p", "10/hour".parse().expect("a quota")).expect("a name"));
    let keyspace = Keyspace::new(prefix);
    let key = keyspace.key(&Identity::user("a"), &policy);
    let charge = Charge::new(policy.clone(), key).with_cost(Cost::new(3).expect("a cost"));
    let charged = store.acquire(&Acquire::new(vec![charge.clone()], 2)).wait().expect("it answers");
    assert_eq!(charged.admitted, 2);
    let mark = |name: &str| keyspace.key_of_tag("user:a", &named(name));
    let refund = |name| Refund::new(charge.clone()).once(mark(name));
    let asked = ["one", "one", "one", "two", "three"].map(refund);
    let mut given = Vec::new();
    for refund in asked {
        given.extend(store.refund(vec![refund]).wait().expect("it answers"));
    }
    given
}

fn named(name: &str) -> Policy {
    Policy::new(name, "1/day".parse().expect("a quota")).expect("a name")
}

#[test]
fn a_charge_with_a_mark_is_given_back_once() {
    use Refunded::{Before, Given};
    let expected = [Given(3), Before, Before, Given(3), Given(0)];
    assert_eq!(given_in_turn(&MemoryStore::new(1_000), "t"), expected);
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    assert_eq!(given_in_turn(&redis_store(&server.url(), &clock), "t"), expected);
    for (key, entry) in server.dump() {
        assert!(entry.expires_at.is_some(), "{key:?} has no end");
    }
    let cluster = Cluster::start();
    let store = RedisStore::start(&RedisOptions::new(cluster.url())).expect("a cluster");
    assert_eq!(given_in_turn(&store, "t"), expected);
}

#[test]
fn concurrent_refunds_of_one_receipt_give_back_once() {
    let server = Server::start();
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let store = redis_store(&server.url(), &clock);
    let policy = Arc::new(named("p"));
    let keyspace = Keyspace::new("t");
    let key = keyspace.key(&Identity::user("a"), &policy);
    let charge = Charge::new(policy, key);
    store.acquire(&Acquire::new(vec![charge.clone()], 1)).wait().expect("it answers");
    let refund = Refund::new(charge).once(keyspace.key_of_tag("user:a", &named("mark")));
    let given: Vec<Refunded> = thread::scope(|scope| {
        let ask = || store.refund(vec![refund.clone()]).wait().expect("it answers");
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().flat_map(|it| it.join().expect("no panic")).collect()
    });
    assert_eq!(given.iter().filter(|it| **it == Refunded::Given(1)).count(), 1, "{given:?}");
    assert_eq!(given.iter().filter(|it| **it == Refunded::Before).count(), 7, "{given:?}");
}
