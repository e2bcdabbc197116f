//! Promise 1: all policies of a request are decided in one step, and charged together or not at all.
//! Callers in many threads and processes never exceed a quota together.

use std::sync::Arc;

use tollgate::store::Charge;
use tollgate::{ManualClock, Policy};

use crate::support::child::{self, TestProcess};
use crate::support::redis::Server;
use crate::support::stores::{
    HOUR, MINUTE, NOW, Stand, ask, charge, each_policy, on_each_store, policy, redis_store,
};
use crate::support::threads::together;

const THREADS: usize = 8;

/// How many requests of `cost` get through when `THREADS` threads send `tries` each.
fn admitted(
    stand: &Stand,
    tries: usize,
    cost: u64,
    charges: impl Fn(usize) -> Vec<Charge> + Send + Sync + 'static,
) -> usize {
    let store = stand.store.clone();
    let send = move |thread| {
        let charges = charges(thread);
        (0..tries).filter(|_| ask(&*store, &charges, cost, 1).admitted == 1).count()
    };
    together(THREADS, send).into_iter().sum()
}

#[test]
fn promise_1_threads_on_one_key_admit_exactly_the_quota() {
    on_each_store(|stand| {
        for policy in each_policy(500, HOUR) {
            for (cost, fit) in [(1, 500), (3, 166)] {
                let charges = vec![charge(&format!("of {cost}"), &policy)];
                let admitted = admitted(stand, 100, cost, move |_| charges.clone());
                assert_eq!(admitted, fit, "{} at cost {cost}", policy.name());
            }
        }
    });
}

#[test]
fn promise_1_several_requests_at_once_admit_exactly_the_quota() {
    on_each_store(|stand| {
        for policy in each_policy(1_000, HOUR) {
            let (store, charges) = (stand.store.clone(), [charge("a", &policy)]);
            // 8 threads * 50 calls * 3 requests are more than 1000.
            let send = move |_| (0..50).map(|_| ask(&*store, &charges, 1, 3).admitted).sum::<u32>();
            let admitted: u32 = together(THREADS, send).into_iter().sum();
            assert_eq!(admitted, 1_000, "{}", policy.name());
        }
    });
}

#[test]
fn promise_1_threads_with_policies_in_opposite_order_admit_exactly_the_quota() {
    on_each_store(|stand| {
        for (wide, narrow) in pairs(1_000, 300) {
            // Keys of two identities, which a store may keep in two places.
            let (wide, narrow) = (charge("everyone", &wide), charge("one", &narrow));
            let name = format!("{} {}", wide.key, narrow.key);
            let admitted = admitted(stand, 60, 1, move |thread| match thread % 2 {
                0 => vec![wide.clone(), narrow.clone()],
                _ => vec![narrow.clone(), wide.clone()],
            });
            assert_eq!(admitted, 300, "{name}");
        }
    });
}

#[test]
fn promise_1_a_request_denied_by_one_policy_leaves_every_other_as_it_was() {
    on_each_store(|stand| {
        for (wide, narrow) in pairs(10, 2) {
            let (wide, narrow) = (charge("a", &wide), charge("a", &narrow));
            let both = [wide.clone(), narrow.clone()];
            assert!(stand.admits(&both, 2), "{}", wide.key);
            // Also what has no state yet stays without.
            let fresh = charge("b", &wide.policy);
            let all = [wide.clone(), narrow.clone(), fresh.clone()];
            let before = stand.image(&all, NOW);
            for charges in [
                vec![wide.clone(), narrow.clone()],
                vec![narrow.clone(), wide.clone()],
                vec![fresh, narrow],
            ] {
                for (cost, count) in [(1, 1), (2, 1), (1, 5)] {
                    assert_eq!(stand.acquire(&charges, cost, count).admitted, 0, "{charges:?}");
                }
            }
            assert_eq!(stand.image(&all, NOW), before, "{} {}", both[0].key, both[1].key);
        }
    });
}

/// Every algorithm beside every algorithm: a wide quota, and a narrow one.
fn pairs(wide: u64, narrow: u64) -> Vec<(Arc<Policy>, Arc<Policy>)> {
    let names = each_policy(1, MINUTE).map(|policy| policy.name().to_owned());
    let both = |a: &String, b: &String| {
        let name = |kind| format!("{kind}-{a}-beside-{b}").replace("-window", "");
        (policy(&name("wide"), a, wide, HOUR), policy(&name("narrow"), b, narrow, HOUR))
    };
    names.iter().flat_map(|a| names.iter().map(move |b| both(a, b))).collect()
}

const PROCESSES: usize = 3;
const THREADS_OF_A_PROCESS: usize = 4;
const TRIES: usize = 100;

#[test]
fn promise_1_processes_on_one_key_admit_exactly_the_quota() {
    let server = Server::start();
    let start = |_| TestProcess::start("atomic::a_process_of_several", &server.url());
    let mut processes: Vec<TestProcess> = (0..PROCESSES).map(start).collect();
    processes.iter_mut().for_each(TestProcess::go);
    for policy in shared() {
        let of_each: Vec<u64> =
            processes.iter_mut().map(|process| process.value_of(policy.name())).collect();
        assert_eq!(of_each.iter().sum::<u64>(), 700, "{}: {of_each:?}", policy.name());
    }
}

/// What the processes share: they send 1200 requests.
fn shared() -> [Arc<Policy>; 4] {
    each_policy(700, HOUR)
}

#[test]
#[ignore = "runs as one of several processes"]
fn a_process_of_several() {
    let Some(url) = child::begin() else { return };
    let clock = Arc::new(ManualClock::new(NOW));
    let store = Arc::new(redis_store(&url, &clock));
    for policy in shared() {
        let (store, charges) = (store.clone(), vec![charge("everyone", &policy)]);
        let send = move |_| {
            let one = || ask(&*store, &charges, 1, 1).admitted;
            (0..TRIES).map(|_| one()).sum::<u32>()
        };
        let admitted: u32 = together(THREADS_OF_A_PROCESS, send).into_iter().sum();
        child::tell(policy.name(), admitted.into());
    }
}
