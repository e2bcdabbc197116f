//! A gate: who may not pass is charged, and all others only ask.

use std::sync::Mutex;

use super::*;
use crate::limiter::observer::AskedBy;
use crate::limiter::{Check, Policies};
use crate::store::StoreError;

/// What becomes of an attempt to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// It was not looked at.
    Closed,
    Right,
    /// It was looked at and charged.
    Wrong,
    /// It was looked at, and by then no more wrong ones were allowed.
    Last,
}
use Attempt::{Closed, Last, Right, Wrong};

/// A process with a gate that three wrong attempts a minute close.
struct Process {
    limiter: Limiter,
    gate: Policies,
}

impl Process {
    fn of(store: Arc<dyn Store>, clock: &Arc<ManualClock>) -> Self {
        let limiter = Limiter::builder(store)
            .policy(policy("gate", "3/minute"))
            .deny_cache(Duration::from_secs(1), clock.clone())
            .build()
            .unwrap();
        Self { gate: limiter.policies(["gate"]).unwrap(), limiter }
    }

    fn ask(&self, count: u32) -> Check {
        self.limiter.ask(AskedBy::AUTHENTICATION, &self.gate, Cost::ONE, count, &Client::user("a"))
    }

    fn peek(&self) -> Check {
        self.ask(0)
    }

    fn charge(&self) -> Check {
        self.ask(1)
    }

    fn attempt(&self, is_right: bool) -> Attempt {
        match (allowed(self.peek()), is_right) {
            (false, _) => Closed,
            (true, true) => Right,
            (true, false) => match allowed(self.charge()) {
                true => Wrong,
                false => Last,
            },
        }
    }
}

fn allowed(check: Check) -> bool {
    check.wait().unwrap().is_allowed()
}

fn stand() -> (Arc<ManualClock>, Arc<Counting>) {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let store = Counting(MemoryStore::with_clock(100, clock.clone()), AtomicU64::new(0));
    (clock, Arc::new(store))
}

#[test]
fn an_open_gate_is_asked_about_once_in_a_while() {
    let (clock, store) = stand();
    let process = Process::of(store.clone(), &clock);
    for _ in 0..2_000 {
        assert_eq!(process.attempt(true), Right);
        clock.advance(1);
    }
    assert_eq!(store.1.load(Ordering::SeqCst), 2);
}

#[test]
fn a_wrong_attempt_is_seen_by_the_next_one_and_a_closed_gate_is_not_asked_about() {
    let (clock, store) = stand();
    let process = Process::of(store.clone(), &clock);
    let attempts = [true, false, true, false, false, true, false];
    let seen = attempts.map(|is_right| process.attempt(is_right));
    assert_eq!(seen, [Right, Wrong, Right, Wrong, Wrong, Closed, Closed]);
    // One peek, and the three charges: each of them says how the gate is now.
    assert_eq!(store.1.load(Ordering::SeqCst), 1 + 3);
    clock.advance(MINUTE);
    assert_eq!(process.attempt(false), Wrong);
}

/// What docs/src/authentication.md says of several processes.
#[test]
fn where_another_process_has_closed_the_gate_one_more_attempt_is_looked_at() {
    let (clock, store) = stand();
    let [one, other] = [0, 1].map(|_| Process::of(store.clone(), &clock));
    assert_eq!(other.attempt(true), Right);
    assert_eq!(
        [false, false, false, false].map(|it| one.attempt(it)),
        [Wrong, Wrong, Wrong, Closed]
    );
    // It does not know yet.
    assert_eq!(
        [true, false, true, false].map(|it| other.attempt(it)),
        [Right, Last, Closed, Closed]
    );
    for _ in 0..10 {
        clock.advance(1_000);
        assert_eq!(
            [&one, &other].map(|it| it.attempt(false)),
            [Closed; 2],
            "until the minute ends"
        );
    }
    clock.advance(MINUTE);
    // And no right ones pass for longer than it is remembered.
    assert_eq!(other.attempt(true), Right);
    assert_eq!([false; 3].map(|it| one.attempt(it)), [Wrong; 3]);
    clock.advance(999);
    assert_eq!(other.attempt(true), Right);
    clock.advance(1);
    assert_eq!(other.attempt(true), Closed);
}

#[test]
fn a_report_of_a_gate_is_never_what_is_remembered_of_an_open_one() {
    let (clock, store) = stand();
    let [one, other] = [0, 1].map(|_| Process::of(store.clone(), &clock));
    assert_eq!((one.attempt(true), other.attempt(false)), (Right, Wrong));
    let report = one.limiter.peek(&one.gate, Cost::ONE, &Client::user("a")).wait().unwrap();
    let (_, standing) = report.policies().next().unwrap();
    assert_eq!(standing.remaining, 2);
}

#[test]
fn a_reset_of_a_gate_is_seen_at_once() {
    let (clock, store) = stand();
    let process = Process::of(store, &clock);
    assert_eq!([false; 4].map(|it| process.attempt(it)), [Wrong, Wrong, Wrong, Closed]);
    ready(process.limiter.reset(&process.gate, &Client::user("a"))).unwrap();
    assert_eq!([false; 4].map(|it| process.attempt(it)), [Wrong, Wrong, Wrong, Closed]);
}

#[test]
fn what_a_peek_saw_before_a_charge_is_not_remembered_after_it() {
    for charge_is_asked_first in [false, true] {
        let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
        let store = Arc::new(Later::new(&clock));
        let process = Process::of(store.clone(), &clock);
        let (peek, charge) = if charge_is_asked_first {
            let charge = process.charge();
            (process.peek(), charge)
        } else {
            let peek = process.peek();
            (peek, process.charge())
        };
        let (of_peek, of_charge) = if charge_is_asked_first { (1, 0) } else { (0, 1) };
        store.decide(of_peek);
        store.decide(of_charge);
        if charge_is_asked_first {
            store.send(of_peek);
            assert!(allowed(peek));
            store.send(of_charge);
            assert!(allowed(charge));
        } else {
            store.send(of_charge);
            assert!(allowed(charge));
            store.send(of_peek);
            assert!(allowed(peek));
        }
        let last = process.peek();
        // Where it is not known, it is asked.
        store.answer_all();
        let decision = last.wait().unwrap();
        let (_, standing) = decision.policies().next().unwrap();
        assert_eq!(standing.remaining, 2, "the charge was asked first: {charge_is_asked_first}");
    }
}

#[test]
fn a_denial_from_before_a_reset_is_not_remembered_after_it() {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let store = Arc::new(Later::new(&clock));
    let Process { limiter, gate } = Process::of(store.clone(), &clock);
    let client = Client::user("a");
    let ask = || limiter.check(&gate, Cost::new(3).unwrap(), &client);
    let [first, second] = [ask(), ask()];
    store.decide(0);
    store.decide(1);
    ready(limiter.reset(&gate, &client)).unwrap();
    store.send(0);
    store.send(1);
    assert_eq!([first, second].map(allowed), [true, false]);
    let third = ask();
    store.decide(2);
    store.send(2);
    assert!(allowed(third));
}

/// A memory store that decides, and answers, when the test says so.
struct Later(MemoryStore, Mutex<Vec<Pending>>);

enum Pending {
    Asked(Acquire, Sender),
    Decided(Result<Acquired, StoreError>, Sender),
    Answered,
}

type Sender = oneshot::Sender<Result<Acquired, StoreError>>;

impl Later {
    fn new(clock: &Arc<ManualClock>) -> Self {
        Self(MemoryStore::with_clock(100, clock.clone()), Mutex::default())
    }

    /// Decides the question of that number.
    fn decide(&self, number: usize) {
        self.step(number, |pending| match pending {
            Pending::Asked(asked, sender) => {
                Pending::Decided(self.0.acquire(&asked).wait(), sender)
            }
            other => other,
        });
    }

    /// Sends the answer to it.
    fn send(&self, number: usize) {
        self.step(number, |pending| match pending {
            Pending::Decided(answer, sender) => {
                sender.send(answer).unwrap();
                Pending::Answered
            }
            other => other,
        });
    }

    fn answer_all(&self) {
        let asked = self.1.lock().unwrap().len();
        for number in 0..asked {
            self.decide(number);
            self.send(number);
        }
    }

    fn step(&self, number: usize, step: impl FnOnce(Pending) -> Pending) {
        let mut pending = self.1.lock().unwrap();
        let one = std::mem::replace(&mut pending[number], Pending::Answered);
        pending[number] = step(one);
    }
}

impl std::fmt::Debug for Later {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Later").finish_non_exhaustive()
    }
}

impl Store for Later {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        let (sender, answer) = Answer::later();
        self.1.lock().unwrap().push(Pending::Asked(acquire.clone(), sender));
        answer
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.0.reset(keys)
    }
}
