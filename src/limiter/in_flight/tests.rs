use std::collections::BTreeSet;

use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{KeySource, Policy, Rollout, Share};
use crate::domain::quota::{Cost, Quota};
use crate::limiter::{Client, DecisionEvent, Limiter, Observer, Policies};
use crate::store::MemoryStore;

const SLOT: Duration = Duration::from_secs(30);

/// A limiter of one request at a time, whose store goes by a clock that is set.
struct Stand {
    clock: Arc<ManualClock>,
    limiter: Limiter,
    policies: Policies,
}

impl Stand {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let store = Arc::new(MemoryStore::with_clock(100, clock.clone()));
        let policy = Policy::new("one", Quota::new(1, 30_000).unwrap()).unwrap();
        let policy = policy.with_algorithm(Algorithm::InFlight).unwrap();
        let policy = policy.with_key(KeySource::Global);
        let limiter = Limiter::builder(store).policy(policy).build().unwrap();
        let policies = limiter.policies(["one"]).unwrap();
        Self { clock, limiter, policies }
    }

    fn begin(&self) -> Option<Slots> {
        let check = self.limiter.check(&self.policies, Cost::ONE, &Client::unknown());
        check.wait().unwrap().take_slots()
    }

    fn in_flight(&self) -> &Arc<InFlight> {
        self.limiter.0.in_flight.as_ref().unwrap()
    }
}

#[test]
fn a_request_holds_its_slot_until_it_ends() {
    let stand = Stand::new();
    let slots = stand.begin();
    assert!(slots.is_some());
    assert!(stand.begin().is_none());
    drop(slots);
    assert!(stand.begin().is_some());
}

#[test]
fn slots_that_were_given_back_are_not_given_back_again() {
    let stand = Stand::new();
    let first = stand.begin().unwrap();
    assert!(give_back(&first).is_some());
    let second = stand.begin().unwrap();
    assert!(give_back(&first).is_none());
    drop(first);
    assert!(stand.begin().is_none(), "the second request holds it still");
    drop(second);
}

#[test]
fn slots_that_are_renewed_last_for_as_long_as_the_request() {
    let stand = Stand::new();
    let slots = stand.begin().unwrap();
    let begun = Instant::now();
    for thirds in 1..=10 {
        stand.clock.set(1_000_000 + thirds * 10_000);
        let next = stand.in_flight().renew_due(begun + SLOT / 3 * u32::try_from(thirds).unwrap());
        assert!(next.is_some());
        assert!(stand.begin().is_none(), "after {thirds} thirds of a window");
    }
    drop(slots);
    assert_eq!(stand.in_flight().renew_due(begun + 20 * SLOT), None);
}

#[test]
fn a_slot_that_was_not_renewed_in_time_is_not_taken_again() {
    let stand = Stand::new();
    let first = stand.begin().unwrap();
    stand.clock.set(1_000_000 + 30_000);
    let second = stand.begin().expect("the slot has ended by itself");
    stand.in_flight().renew_due(Instant::now() + SLOT);
    drop(second);
    assert!(stand.begin().is_some(), "the first request holds nothing any more");
    drop(first);
}

#[test]
fn slots_of_several_policies_are_renewed_before_the_first_of_them_ends() {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let policy = |name: &str, most, slot| {
        let policy = Policy::new(name, Quota::new(most, slot).unwrap()).unwrap();
        policy.with_algorithm(Algorithm::InFlight).unwrap().with_key(KeySource::Global)
    };
    let limiter = Limiter::builder(Arc::new(MemoryStore::with_clock(100, clock.clone())))
        .policy(policy("long", 2, 90_000))
        .policy(policy("short", 1, 30_000))
        .build()
        .unwrap();
    let policies = limiter.policies(["long", "short"]).unwrap();
    let stand = Stand { clock, limiter, policies };
    let slots = stand.begin().unwrap();
    let begun = Instant::now();
    stand.clock.set(1_000_000 + 10_000);
    stand.in_flight().renew_due(begun + SLOT / 3);
    stand.clock.set(1_000_000 + 35_000);
    assert!(stand.begin().is_none(), "it lasts until 40 seconds");
    drop(slots);
}

/// A limiter whose route `/pay` uses the reserve of its policies, and whose route `/list` does not. Ten slots are for all
/// clients, and each user has five and a quota. Of both, 40 % are kept.
fn with_reserve() -> Limiter {
    let clock = Arc::new(ManualClock::new(1_000_000));
    let all = Policy::new("all", Quota::new(10, 30_000).unwrap()).unwrap();
    let all = all.with_algorithm(Algorithm::InFlight).unwrap().with_key(KeySource::Global);
    let own = Policy::new("own", "20/hour".parse().unwrap()).unwrap();
    let own = own.with_in_flight(5, 30_000).unwrap().with_plan("pro", "90/hour".parse().unwrap());
    let reserve = |policy: Policy| policy.with_reserve("40%".parse().unwrap()).unwrap();
    Limiter::builder(Arc::new(MemoryStore::with_clock(100, clock)))
        .policy(reserve(all))
        .policy(reserve(own.unwrap()))
        .route("/pay", ["all", "own"], [])
        .route("/list", ["all", "own"], [])
        .reserve_for("/pay")
        .build()
        .unwrap()
}

/// What a request under the policies of the route `path` holds.
fn begin_at(limiter: &Limiter, path: &str, client: &Client<'_>) -> Option<Slots> {
    let policies = &limiter.route("GET", path).unwrap().policies;
    limiter.check(policies, Cost::ONE, client).wait().unwrap().take_slots()
}

#[test]
fn the_reserve_is_for_requests_that_may_use_it() {
    for client in [Client::user("u"), Client::user("u").with_plan("pro")] {
        let limiter = with_reserve();
        let begin = |path| begin_at(&limiter, path, &client);
        let listing: Vec<_> = (0..3).map(|_| begin("/list").unwrap()).collect();
        assert!(begin("/list").is_none(), "two of five are kept");
        let paying: Vec<_> = (0..2).map(|_| begin("/pay").unwrap()).collect();
        assert!(begin("/pay").is_none(), "there are five");
        drop(listing);
        assert!(begin("/list").is_some(), "two are held");
        let paying: Vec<_> =
            paying.into_iter().chain((0..3).map(|_| begin("/pay").unwrap())).collect();
        assert!(begin("/list").is_none() && begin("/pay").is_none());
        drop(paying);
    }
    let limiter = with_reserve();
    let users = ["a", "b", "c", "d"].map(Client::user);
    let held: Vec<_> = users
        .iter()
        .flat_map(|it| [begin_at(&limiter, "/list", it), begin_at(&limiter, "/list", it)])
        .collect();
    assert_eq!(held.iter().flatten().count(), 6, "four of ten are kept");
    assert!(begin_at(&limiter, "/pay", &users[3]).is_some());
}

/// Remembers whether what is tried out admits each request.
#[derive(Debug, Default)]
struct Trials(Mutex<Vec<bool>>);

impl Observer for Trials {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        self.0.lock().unwrap().extend(event.trials.iter().map(|it| it.admits));
    }
}

#[test]
fn slots_that_a_trial_takes_for_a_denied_request_are_given_back() {
    let trials = Arc::new(Trials::default());
    let candidate = Some("90/hour".parse().unwrap());
    let candidate = Rollout::Enforce { share: Share::ALL, candidate };
    let policy = Policy::new("p", "1/hour".parse().unwrap()).unwrap().with_key(KeySource::Global);
    let policy = policy.with_in_flight(2, 30_000).unwrap().with_rollout(candidate).unwrap();
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(100)))
        .policy(policy)
        .observer(trials.clone())
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    let begin = || limiter.check(&policies, Cost::ONE, &Client::unknown()).wait().unwrap();
    let mut first = begin();
    let held = first.take_slots();
    for _ in 0..5 {
        assert!(!begin().is_allowed());
    }
    assert_eq!(*trials.0.lock().unwrap(), [true; 6], "one request is under way, of two");
    drop(held);
}

#[test]
fn the_store_prepares_for_requests_that_use_the_reserve_and_for_others() {
    let limiter = with_reserve();
    for (policy, most) in [("all", [6, 10]), ("own", [3, 5])] {
        let policies = limiter.0.variants[policy].policies().filter(|it| !it.has_quotas());
        let slots: BTreeSet<u64> = policies.map(|it| it.quota().units()).collect();
        assert_eq!(Vec::from_iter(slots), most);
    }
}

#[test]
fn a_reserve_is_for_a_route_that_there_is() {
    let limiter = |pattern: &str| {
        let policy = Policy::new("p", "1/day".parse().unwrap()).unwrap();
        let builder = Limiter::builder(Arc::new(MemoryStore::new(10))).policy(policy);
        builder.route("GET /pay", ["p"], []).reserve_for(pattern).build()
    };
    assert!(limiter("GET /pay").is_ok(), "without a reserve it does nothing");
    for pattern in ["/pay", "/other"] {
        assert_eq!(
            limiter(pattern).unwrap_err().to_string(),
            format!("there is no route {pattern:?}")
        );
    }
}
