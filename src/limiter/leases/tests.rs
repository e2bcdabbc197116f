//! Several processes over one store, by clocks that are set: what they admit is compared with the algorithm alone.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::algorithm::{Algorithm, State, Terms};
use crate::domain::clock::{ManualClock, Millis};
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::domain::quota::{Cost, Quota};
use crate::store::{Charge, Keyspace, MemoryStore};

mod peeks;

/// Shortly before the end of a window.
const START: Millis = 1_700_000_039_500;
const WINDOW: Millis = 1_000;
const LEASE: Millis = 100;
const UNITS: u64 = 1_000;
const PROCESSES: usize = 3;

/// Processes that share a store, and what they admitted.
struct Fleet {
    /// Of the processes.
    clock: Arc<ManualClock>,
    store_clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    policy: Arc<Policy>,
    processes: Vec<Process>,
    admitted: Vec<(Millis, Cost)>,
    /// What was denied, each with how much the window had admitted by then.
    denied: Vec<(u64, Cost)>,
    window: (Millis, u64),
    by_lease: usize,
}

type Process = (Arc<Leases>, Receiver<Job>);

#[derive(Clone, Debug)]
enum Event {
    Pass(Millis),
    /// The store's clock steps to so long after the start.
    Step(Millis),
    /// A process gets so many requests of this cost.
    Requests(usize, u64, u64),
    /// Its thread runs.
    Work(usize),
    EndAll(usize),
    /// It is killed, and another one starts.
    Kill(usize),
}

fn policy(algorithm: &str) -> Policy {
    let quota = Quota::new(UNITS, WINDOW).unwrap();
    let algorithm = Algorithm::named(algorithm, quota).unwrap();
    let policy = Policy::new("p", quota).unwrap().with_algorithm(algorithm).unwrap();
    policy.with_lease(std::time::Duration::from_millis(LEASE))
}

fn events(kills: bool) -> impl Strategy<Value = Vec<Event>> {
    let process = 0..PROCESSES;
    let event = prop_oneof![
        4 => (0_u64..40).prop_map(Event::Pass),
        8 => (process.clone(), 1_u64..120, 1_u64..4).prop_map(|(it, n, cost)| Event::Requests(it, n, cost)),
        6 => process.clone().prop_map(Event::Work),
        1 => process.clone().prop_map(Event::EndAll),
        1 => process.prop_map(move |it| if kills { Event::Kill(it) } else { Event::Work(it) }),
    ];
    vec(event, 20..120)
}

impl Fleet {
    fn new(algorithm: &str) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let store_clock = Arc::new(ManualClock::new(START));
        let store = Arc::new(MemoryStore::with_clock(100, store_clock.clone()));
        let policy = Arc::new(policy(algorithm));
        let (processes, admitted, denied) = (Vec::new(), Vec::new(), Vec::new());
        let mut fleet = Self {
            clock,
            store_clock,
            store,
            policy,
            processes,
            admitted,
            denied,
            window: (0, 0),
            by_lease: 0,
        };
        fleet.processes = (0..PROCESSES).map(|_| fleet.process()).collect();
        fleet
    }

    fn process(&self) -> Process {
        let instances = NonZeroU64::new(PROCESSES as u64).unwrap();
        let names = ["p"].into_iter();
        Leases::new(self.store.clone(), None, instances, self.clock.clone(), names, None)
    }

    fn asked(&self, cost: Cost) -> Acquire {
        let key = Keyspace::new("t").key(&Identity::Global, &self.policy);
        Acquire::new(vec![Charge::new(self.policy.clone(), key).with_cost(cost)], 1)
    }

    fn request(&mut self, process: usize, cost: u64) {
        let cost = Cost::new(cost).unwrap();
        let asked = self.asked(cost);
        let in_hand = self.processes[process].0.take(&asked);
        let is_leased = in_hand.is_all_of(&asked);
        let window = self.clock.now() / WINDOW;
        if self.window.0 != window {
            self.window = (window, 0);
        }
        if is_leased || self.store.acquire_now(&asked).is_allowed(1) {
            self.by_lease += usize::from(is_leased);
            self.window.1 += cost.units();
            self.admitted.push((self.clock.now(), cost));
        } else {
            self.denied.push((self.window.1, cost));
        }
    }

    fn play(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Pass(length) => {
                    self.clock.advance(*length);
                    self.store_clock.advance(*length);
                }
                Event::Step(to) => self.store_clock.set(START + to),
                Event::Requests(process, number, cost) => {
                    (0..*number).for_each(|_| self.request(*process, *cost));
                }
                Event::Work(process) => {
                    let (leases, jobs) = &self.processes[*process];
                    leases.work(jobs.try_iter());
                }
                Event::EndAll(process) => self.processes[*process].0.end_all(),
                Event::Kill(process) => {
                    let next = self.process();
                    let (killed, _) = std::mem::replace(&mut self.processes[*process], next);
                    // It gives nothing back.
                    killed.table.retain(|holding| holding.end_all().is_empty());
                }
            }
        }
    }

    /// Whether the algorithm admits by itself all that was admitted, with so many units of burst `more`.
    fn is_within(&self, more: u64) -> Result<(), TestCaseError> {
        let Terms { units, window, burst } = self.policy.terms();
        let terms = Terms { units, window, burst: burst + more };
        let mut state = State::untouched(self.policy.algorithm());
        for (at, cost) in &self.admitted {
            let remaining = state.standing(&terms, *at, *cost).remaining;
            prop_assert!(remaining >= cost.units(), "{cost:?} at {at}, and {remaining} remain");
            state.charge(&terms, *at, cost.units(), *cost);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn windows_admit_with_leases_what_they_would_admit_without(events in events(true)) {
        for algorithm in ["fixed-window", "sliding-window"] {
            let mut fleet = Fleet::new(algorithm);
            fleet.play(&events);
            fleet.is_within(0)?;
        }
    }

    #[test]
    fn a_store_whose_clock_steps_admits_one_quota_for_each_window_that_it_shows(
        events in events(true),
        steps in vec((0_usize..100, 0_u64..5_000), 0..8),
    ) {
        let (mut fleet, mut events) = (Fleet::new("fixed-window"), events);
        for (at, to) in steps {
            events.insert(at.min(events.len()), Event::Step(to));
        }
        let window = |fleet: &Fleet| fleet.store_clock.now() / WINDOW;
        let (mut shown, mut last) = (1, window(&fleet));
        for event in &events {
            fleet.play(std::slice::from_ref(event));
            shown += u64::from(window(&fleet) != last);
            last = window(&fleet);
        }
        let used: u64 = fleet.admitted.iter().map(|(_, cost)| cost.units()).sum();
        prop_assert!(used <= UNITS * shown, "{used} in {shown}");
    }

    #[test]
    fn a_token_bucket_admits_at_most_what_it_refills_in_one_lease_time_more(events in events(true)) {
        let mut fleet = Fleet::new("token-bucket");
        fleet.play(&events);
        fleet.is_within((UNITS * LEASE).div_ceil(WINDOW))?;
    }

    #[test]
    fn what_is_denied_early_is_no_more_than_what_all_processes_may_hold(events in events(false)) {
        let mut fleet = Fleet::new("fixed-window");
        fleet.play(&events);
        let instances = NonZeroU64::new(PROCESSES as u64).unwrap();
        let held = PROCESSES as u64 * chunk::most_held(UNITS, instances);
        for (used, cost) in &fleet.denied {
            prop_assert!(used + held + cost.units() > UNITS, "{used} were used");
        }
    }
}

#[test]
fn busy_keys_are_leased_and_rare_ones_are_not() {
    let mut fleet = Fleet::new("fixed-window");
    for (requests, is_leased) in [(7, false), (40, true)] {
        let before = fleet.by_lease;
        for _ in 0..5 {
            let requests = Event::Requests(0, requests, 1);
            fleet.play(&[requests.clone(), Event::Work(0), requests, Event::Pass(LEASE)]);
        }
        assert_eq!(fleet.by_lease > before, is_leased, "{requests}");
    }
}

#[test]
fn units_are_counted_by_what_became_of_them() {
    let mut fleet = Fleet::new("fixed-window");
    fleet.play(&[Event::Requests(0, 40, 1), Event::Work(0), Event::Requests(0, 5, 1)]);
    let counts = |fleet: &Fleet| fleet.processes[0].0.counts().remove(0);
    let held = counts(&fleet);
    assert_eq!((held.held, held.leased, held.units_held), (1, 25, 20), "{held:?}");
    fleet.play(&[Event::Pass(LEASE), Event::Work(0)]);
    // The thread had nothing to do, so it has not looked.
    fleet.processes[0].0.work(std::iter::empty());
    let ended = counts(&fleet);
    assert_eq!((ended.held, ended.spent, ended.given_back, ended.expired), (0, 5, 20, 0));
    let standing = fleet.store.acquire_now(&Acquire { count: 0, ..fleet.asked(Cost::ONE) });
    assert_eq!(standing.standings[0].remaining, UNITS - 45, "all of it is whole again");
}

#[test]
fn a_reset_ends_a_lease_and_gives_nothing_back() {
    let mut fleet = Fleet::new("fixed-window");
    fleet.play(&[Event::Requests(0, 40, 1), Event::Work(0)]);
    let asked = fleet.asked(Cost::ONE);
    let key = asked.charges[0].key.clone();
    fleet.store.reset(vec![key.clone()]).wait().unwrap();
    fleet.processes[0].0.forget(&[key]);
    fleet.play(&[Event::Requests(1, 500, 1), Event::Requests(0, 100, 1), Event::Pass(LEASE)]);
    fleet.processes[0].0.work(std::iter::empty());
    let peek = fleet.store.acquire_now(&Acquire { count: 0, ..asked });
    assert_eq!(peek.standings[0].remaining, UNITS - 600);
}

#[test]
fn a_peek_also_reports_what_is_held_here() {
    let mut fleet = Fleet::new("fixed-window");
    fleet.play(&[Event::Requests(0, 40, 1), Event::Work(0)]);
    let asked = Acquire { count: 0, ..fleet.asked(Cost::ONE) };
    let remaining = |process: usize| {
        let mut acquired = fleet.store.acquire_now(&asked);
        fleet.processes[process].0.add_to(&asked, &mut acquired);
        acquired.standings[0].remaining
    };
    assert_eq!((remaining(0), remaining(1)), (UNITS - 40, UNITS - 40 - 25));
}
