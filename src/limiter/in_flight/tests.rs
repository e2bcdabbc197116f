use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::{Cost, Quota};
use crate::limiter::{Client, Limiter, Policies};
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
