//! What processes that share a quota admit together while some or all of them lose Redis: no more than
//! the table in docs/src/outages.md says, and no less in the worst case.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tollgate::{Limiter, ManualClock, MemoryStore, OnStoreFailure, RedisOptions, RedisStore};

use crate::support::process::{Options, Tollgate};
use crate::support::proxy::{Fault, Proxy};
use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, policy};
use crate::support::threads::until;
use crate::support::traffic::{admitted, check, limiter, store};

const QUOTA: usize = 100;

const ALGORITHMS: [&str; 4] = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"];

/// Of so many processes so many lose Redis, and so much is admitted then: the figures of docs/src/outages.md.
const ONE_SIDED: [(usize, usize, usize); 5] =
    [(2, 1, 150), (5, 1, 120), (5, 4, 180), (10, 1, 110), (10, 9, 190)];

/// What docs/src/outages.md allows where `lost` of so many processes have lost Redis.
fn allowed(processes: usize, lost: usize) -> usize {
    QUOTA + lost * QUOTA.div_ceil(processes)
}

/// Processes that share a quota on one Redis, which each reaches through a relay of its own. All of
/// them and Redis go by one clock.
struct Fleet {
    _server: Server,
    clock: Arc<ManualClock>,
    members: Vec<Member>,
}

struct Member {
    relay: Proxy,
    store: Arc<RedisStore>,
    limiter: Limiter,
}

impl Fleet {
    fn new(algorithm: &str, processes: usize) -> Self {
        Self::told_of(processes, algorithm, processes)
    }

    /// The same where each is told of so many `instances`.
    fn told_of(instances: usize, algorithm: &str, processes: usize) -> Self {
        let server = Server::start();
        let clock = Arc::new(ManualClock::new(NOW));
        let member = |_| Member::new(&server, &clock, algorithm, instances);
        let members = (0..processes).map(member).collect();
        Self { _server: server, clock, members }
    }

    /// How much the client gets who asks each of them once.
    fn ask_each_once(&self) -> usize {
        self.members.iter().map(Member::admits_one).sum()
    }

    /// What the store of any member could not be charged with.
    fn not_charged_back(&self) -> u64 {
        self.members.iter().map(|member| member.store.status().not_charged_back).sum()
    }
}

impl Member {
    fn new(server: &Server, clock: &Arc<ManualClock>, algorithm: &str, instances: usize) -> Self {
        let relay = Proxy::to(server.socket());
        let options = RedisOptions::new(relay.url())
            // No call takes as long. A request that finds no connection waits for a tenth of it.
            .timeout(Duration::from_secs(1))
            .probe_interval(Duration::from_millis(20))
            .clock(clock.clone());
        let store = store(&options);
        let limiter = Limiter::builder(store.clone())
            .policy(policy("p", algorithm, QUOTA as u64, HOUR).as_ref().clone())
            .instances(NonZeroU64::new(instances as u64).expect("some"))
            .local(Arc::new(MemoryStore::with_clock(1_000, clock.clone())))
            .build()
            .expect("one policy");
        Self { relay, store, limiter }
    }

    fn loses_redis(&self) {
        self.relay.set(Fault::Closed);
        let other = limiter(&self.store, 1, OnStoreFailure::Allow);
        until("it gives Redis up", || check(&other, "other").is_ok() && !self.store.is_up());
    }

    /// Comes back, and has charged what it owed.
    fn returns(&self) {
        self.relay.set(Fault::None);
        until("it takes Redis up", || self.store.is_up());
    }

    /// How much the client gets who asks once.
    fn admits_one(&self) -> usize {
        admitted(&self.limiter, "one", 1)
    }

    /// How much the client gets who takes all there is.
    fn admits_all(&self) -> usize {
        admitted(&self.limiter, "one", QUOTA + 1)
    }
}

/// Cuts all of them off at once.
fn cut_off(members: &[Member]) {
    thread::scope(|scope| members.iter().for_each(|it| drop(scope.spawn(|| it.loses_redis()))));
}

#[test]
fn all_that_lose_redis_at_once_admit_what_remained_but_for_what_is_rounded_up() {
    for (processes, total) in [(2, 101), (5, 104), (10, 109)] {
        let fleet = Fleet::new("fixed-window", processes);
        let before = fleet.ask_each_once();
        cut_off(&fleet.members);
        let during: usize = fleet.members.iter().map(Member::admits_all).sum();
        assert_eq!(before + during, total, "{processes} processes");
        fleet.members.iter().for_each(Member::returns);
        assert_eq!(fleet.not_charged_back(), (total - QUOTA) as u64, "{processes} processes");
        assert_eq!(fleet.ask_each_once(), 0, "{processes} processes");
    }
}

#[test]
fn some_that_lose_redis_admit_their_parts_of_what_remained_and_the_others_all_of_it() {
    let of_each = ALGORITHMS.map(|algorithm| (algorithm, ONE_SIDED[2]));
    let cases = ONE_SIDED.map(|case| ("fixed-window", case));
    for (algorithm, (processes, lost, total)) in cases.into_iter().chain(of_each) {
        let said = format!("{algorithm}: {lost} of {processes}");
        let fleet = Fleet::new(algorithm, processes);
        let before = fleet.ask_each_once();
        let (cut, connected) = fleet.members.split_at(lost);
        cut_off(cut);
        let by_redis: usize = connected.iter().map(Member::admits_all).sum();
        assert_eq!(before + by_redis, QUOTA, "{said}");
        let by_parts: usize = cut.iter().map(Member::admits_all).sum();
        assert_eq!(QUOTA + by_parts, total, "{said}");
        assert_eq!(total, allowed(processes, lost), "{said}: the bound is tight");
        // There is no room for it in Redis, and who returns knows that.
        for member in cut {
            member.returns();
            assert_eq!(member.admits_one(), 0, "{said}");
        }
        cut_off(cut);
        assert_eq!(cut.iter().map(Member::admits_one).sum::<usize>(), 0, "{said}");
        assert_eq!(fleet.not_charged_back(), by_parts as u64, "{said}");
    }
}

#[test]
fn who_returns_first_is_charged_and_admits_all_that_is_left_while_the_others_have_their_parts() {
    for (algorithm, processes) in
        ALGORITHMS.map(|it| (it, 5)).into_iter().chain([("fixed-window", 2), ("fixed-window", 10)])
    {
        let said = format!("{algorithm}: {processes}");
        let fleet = Fleet::new(algorithm, processes);
        let before = fleet.ask_each_once();
        cut_off(&fleet.members);
        let (first, others) = fleet.members.split_last().expect("some");
        let its_part = first.admits_all();
        first.returns();
        assert_eq!(first.store.status().charged_back, its_part as u64, "{said}");
        let rest = first.admits_all();
        assert_eq!(before + its_part + rest, QUOTA, "{said}");
        let by_parts: usize = others.iter().map(Member::admits_all).sum();
        assert_eq!(QUOTA + by_parts, allowed(processes, processes - 1), "{said}");
        for member in others {
            member.returns();
            assert_eq!(member.admits_one(), 0, "{said}");
        }
        assert_eq!(fleet.not_charged_back(), by_parts as u64, "{said}");
    }
}

#[test]
fn in_a_window_that_begins_meanwhile_those_cut_off_have_their_parts_of_the_quota() {
    for (algorithm, (processes, lost, total)) in ALGORITHMS.map(|it| (it, ONE_SIDED[2])) {
        let said = format!("{algorithm}: {lost} of {processes}");
        let fleet = Fleet::new(algorithm, processes);
        fleet.ask_each_once();
        let (cut, connected) = fleet.members.split_at(lost);
        cut_off(cut);
        fleet.members.iter().for_each(|member| assert_ne!(member.admits_all(), 0, "{said}"));
        // By then no algorithm remembers what was used.
        for window in [2, 4] {
            fleet.clock.set(NOW + window * HOUR);
            let by_redis: usize = connected.iter().map(Member::admits_all).sum();
            let by_parts: usize = cut.iter().map(Member::admits_all).sum();
            assert_eq!((by_redis, by_redis + by_parts), (QUOTA, total), "{said}");
        }
        // What was admitted in windows that are over is owed no longer.
        cut.iter().for_each(Member::returns);
        assert_eq!(fleet.not_charged_back(), (total - QUOTA) as u64, "{said}");
    }
}

#[test]
fn who_decided_last_long_ago_has_a_part_of_what_remained_then() {
    let fleet = Fleet::new("fixed-window", 2);
    let before = fleet.ask_each_once();
    let [long_ago, just_now] = &fleet.members[..] else { panic!("two") };
    let by_redis = just_now.admits_all();
    cut_off(&fleet.members);
    let during = [just_now, long_ago].map(Member::admits_all);
    assert_eq!(during, [0, 50], "half of 99");
    assert_eq!(before + by_redis + 50, allowed(2, 1));
}

#[test]
fn who_is_cut_off_again_and_again_adds_its_part_once() {
    let fleet = Fleet::new("fixed-window", 2);
    let mut total = fleet.ask_each_once();
    let [flaps, stays] = &fleet.members[..] else { panic!("two") };
    for _ in 0..3 {
        flaps.loses_redis();
        total += admitted(&flaps.limiter, "one", 10);
        flaps.returns();
        total += admitted(&stays.limiter, "one", 1);
    }
    assert_eq!(flaps.store.status().charged_back, 30);
    flaps.loses_redis();
    total += stays.admits_all();
    assert_eq!(total, QUOTA);
    // 67 remained when it charged the last ten.
    assert_eq!(flaps.admits_all(), 33);
    flaps.returns();
    flaps.loses_redis();
    assert_eq!(flaps.admits_one(), 0);
}

#[test]
fn twice_as_many_instances_as_run_halve_what_is_added_and_what_all_get_without_redis() {
    for (lost, total) in [(4, 140), (5, 55)] {
        let fleet = Fleet::told_of(10, "fixed-window", 5);
        let before = fleet.ask_each_once();
        cut_off(&fleet.members[..lost]);
        let during: usize = fleet.members.iter().rev().map(Member::admits_all).sum();
        assert_eq!(before + during, total, "{lost} of 5");
    }
}

/// The built command, as one of so many, behind a relay.
fn serve(server: &Server, processes: usize) -> (Proxy, Tollgate) {
    let relay = Proxy::to(server.socket());
    let tollgate = Options::default()
        .set("server.workers", "1")
        .set("store.url", &relay.url())
        .set("store.timeout_ms", "1000")
        .set("store.instances", &processes.to_string())
        .set("policies.default.quota", &format!("{QUOTA}/52 weeks"))
        .set("policies.default.key", "header:x-client")
        .serve();
    (relay, tollgate)
}

#[test]
fn built_commands_of_which_some_lose_redis_admit_what_the_table_says() {
    for (processes, lost, total) in ONE_SIDED {
        let server = Server::start();
        let mut fleet: Vec<_> = (0..processes).map(|_| serve(&server, processes)).collect();
        let admits = |tollgate: &Tollgate, count: usize| {
            let status = |_: &usize| tollgate.get("/api/data", &[("x-client", b"one")]).status;
            (0..count).filter(|it| status(it) == 200).count()
        };
        let before: usize = fleet.iter().map(|(_, tollgate)| admits(tollgate, 1)).sum();
        fleet[..lost].iter().for_each(|(relay, _)| relay.set(Fault::Closed));
        // Those that are connected come first, so that all is gone.
        let during = fleet.iter().rev().map(|(_, tollgate)| admits(tollgate, QUOTA + 1));
        let said = format!("{lost} of {processes}");
        assert_eq!(before + during.sum::<usize>(), total, "{said}");
        for (relay, tollgate) in &mut fleet[..lost] {
            relay.set(Fault::None);
            tollgate.wait_for_line("counting there again");
            assert_eq!(admits(tollgate, 1), 0, "{said}");
        }
    }
}
