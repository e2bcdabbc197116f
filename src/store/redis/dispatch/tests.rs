//! Plays every order of what requests and two dispatchers can do, and of what can go wrong. The real
//! dispatchers play it in one thread.

use std::future::Future as _;
use std::panic::resume_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};

use super::super::script::batch::Batch;
use super::super::script::packed;
use super::queue::MAX_WAITING;
use super::*;
use crate::domain::key::Identity;
use crate::domain::policy::Policy;
use crate::store::defer::DeferTask;
use crate::store::redis::health::status::Tally;
use crate::store::{Charge, Keyspace, Refund, Refunded};

const REQUESTS: u64 = 3;
const DISPATCHERS: usize = 2;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    /// The connection was lost in the middle of the batch.
    Broken,
    /// The reply had another length, as if to another batch.
    Garbled,
    /// The thread panicked.
    Panicked,
}

const ENDS: [End; 4] = [End::Answered, End::Broken, End::Garbled, End::Panicked];

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    /// The thread that asks ends its turn.
    EndTurn,
    Take(usize),
    Finish(usize, End),
}

/// A server that answers each key with another `remaining`, so that an answer shows whose it is.
struct Script(Mutex<End>);

impl Calls for Script {
    fn acquire(&self, asked: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        let batch = Batch::of(asked);
        let mut reply = vec![0];
        for run in batch.runs() {
            for mut keys in run.requests() {
                let number = i64::try_from(number_of(keys.next().unwrap())).unwrap();
                reply.extend([i64::from(run.count()), number, 0, 0]);
            }
        }
        let end = *self.0.lock().unwrap();
        match end {
            End::Answered => batch.answers(Ok(packed(&reply))),
            End::Garbled => batch.answers(Ok(packed(&reply[1..]))),
            End::Broken => batch.answers(Err(StoreError::new(StoreErrorKind::Unreachable))),
            End::Panicked => resume_unwind(Box::new("a panic without a message")),
        }
    }

    fn reset(&self, _: &[Key]) -> Result<(), StoreError> {
        Ok(())
    }

    fn refund(&self, _: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>> {
        Vec::new()
    }

    fn slots(&self, _: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![true; slots.len()])
    }

    fn ask_overrides(&self, _: &OverrideCall) -> Result<OverrideReply, StoreError> {
        Err(StoreError::new(StoreErrorKind::Refused))
    }
}

/// The dispatchers and their queue, in one thread.
struct World {
    queue: Arc<Queue>,
    dispatchers: Vec<Dispatcher<Script>>,
    held: [Option<Vec<Job>>; DISPATCHERS],
    /// How many requests each dispatcher has answered since it last came.
    served: [usize; DISPATCHERS],
    /// The task that sends the requests of the asking thread and brings its answers, if it has one.
    task: Option<(Pin<Box<DeferTask>>, Arc<Bell>)>,
    asked: u64,
    answers: Vec<Answer<Acquired>>,
    /// For each request, how the call ended that held it.
    ends: Vec<Option<End>>,
}

/// Whether the task was woken.
#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl World {
    fn new(has_task: bool) -> Self {
        let queue = Arc::new(Queue::new(Arc::default()));
        let dispatcher = |_| Dispatcher {
            queue: queue.clone(),
            calls: Arc::new(Script(Mutex::new(End::Answered))),
            timeout: Duration::MAX,
        };
        let mut world = Self {
            task: has_task.then(|| (Box::pin(DeferTask::default()), Arc::default())),
            dispatchers: (0..DISPATCHERS).map(dispatcher).collect(),
            queue,
            held: [None, None],
            served: [0, 0],
            asked: 0,
            answers: Vec::new(),
            ends: vec![None; usize::try_from(REQUESTS).unwrap()],
        };
        world.end_turn();
        world
    }

    fn end_turn(&mut self) {
        if let Some((task, bell)) = &mut self.task {
            bell.0.store(false, Ordering::SeqCst);
            let waker = bell.clone().into();
            assert!(task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
    }

    /// All steps that can come next.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.asked < REQUESTS {
            steps.push(Step::Ask);
        }
        if self.task.as_ref().is_some_and(|(_, bell)| bell.0.load(Ordering::SeqCst)) {
            steps.push(Step::EndTurn);
        }
        for (number, held) in self.held.iter().enumerate() {
            if held.is_some() {
                steps.extend(ENDS.map(|end| Step::Finish(number, end)));
            }
        }
        // One idle dispatcher is as good as another.
        let idle = self.held.iter().position(Option::is_none);
        steps.extend(idle.filter(|_| !self.queue.is_empty()).map(Step::Take));
        steps
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Ask => {
                let (answer, waiting) = Answer::later();
                ask(&self.queue, None, QueuedRequest { acquire: request(self.asked), answer });
                self.answers.push(waiting);
                self.asked += 1;
            }
            Step::EndTurn => self.end_turn(),
            Step::Take(number) => {
                self.held[number] = self.queue.take(std::mem::take(&mut self.served[number]));
            }
            Step::Finish(number, end) => {
                let jobs = self.held[number].take().unwrap();
                for job in &jobs {
                    let Job::Acquire(group) = job else { continue };
                    for QueuedRequest { acquire, .. } in &group.requests {
                        let number = usize::try_from(number_of(&acquire.charges[0].key)).unwrap();
                        assert_eq!(self.ends[number].replace(end), None, "taken twice");
                    }
                }
                self.served[number] = Job::requests(&jobs);
                *self.dispatchers[number].calls.0.lock().unwrap() = end;
                self.dispatchers[number].serve_or_drop(jobs);
            }
        }
    }

    /// Asserts that each request got its own answer.
    fn assert_answered(self, played: &[Step]) {
        for (number, (answer, end)) in self.answers.into_iter().zip(self.ends).enumerate() {
            let answer = match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => answer.map_err(|error| error.kind()),
                Poll::Pending => panic!("request {number} is left waiting after {played:?}"),
            };
            let answer = answer.map(|it| (it.admitted, it.standings[0].remaining));
            let expected = match end.expect("every request is taken") {
                End::Answered => Ok((1, number as u64)),
                End::Broken => Err(StoreErrorKind::Unreachable),
                End::Garbled => Err(StoreErrorKind::Refused),
                End::Panicked => Err(StoreErrorKind::Closed),
            };
            assert_eq!(answer, expected, "request {number} after {played:?}");
        }
    }
}

fn request(number: u64) -> Acquire {
    let policy = Arc::new(Policy::new("p", "9/day".parse().unwrap()).unwrap());
    let key = Keyspace::new("t").key(&Identity::user(number.to_string()), &policy);
    Acquire::new(vec![Charge::new(policy, key)], 1)
}

fn number_of(key: &Key) -> u64 {
    key.hash_tag()["user:".len()..].parse().unwrap()
}

#[test]
fn each_request_gets_its_own_decision_once() {
    assert!(play_every_order(false) > 1_000);
}

#[test]
fn each_request_gets_its_own_decision_where_requests_and_answers_are_gathered() {
    assert!(play_every_order(true) > 1_000);
}

/// Plays every order of steps to its end. Returns how many there are.
fn play_every_order(has_task: bool) -> usize {
    let mut orders = 0;
    let mut unplayed = vec![Vec::new()];
    while let Some(played) = unplayed.pop() {
        let mut world = World::new(has_task);
        played.iter().for_each(|step| world.play(*step));
        let next = world.steps();
        if next.is_empty() {
            orders += 1;
            world.assert_answered(&played);
        }
        unplayed.extend(next.into_iter().map(|step| [&played[..], &[step]].concat()));
    }
    orders
}

#[test]
fn a_full_queue_refuses_requests_and_counts_them() {
    let tally = Arc::new(Tally::default());
    let queue = Arc::new(Queue::new(tally.clone()));
    let ask = |number| {
        let (answer, waiting) = Answer::later();
        queue.send(vec![QueuedRequest { acquire: request(number), answer }], None);
        waiting
    };
    let most = u64::try_from(MAX_WAITING).unwrap();
    let waiting: Vec<_> = (0..most).map(ask).collect();
    assert_eq!(tally.overloads.get(), 0);
    assert_eq!(ask(most).wait().unwrap_err().kind(), StoreErrorKind::Overloaded);
    assert_eq!(tally.overloads.get(), 1);

    // A dispatcher that takes some makes room for as many.
    assert_eq!(queue.take(0).unwrap().len(), MAX_BATCH);
    let more: Vec<_> = (0..MAX_BATCH).map(|_| ask(0)).collect();
    assert_eq!(tally.overloads.get(), 1);
    assert_eq!(ask(0).wait().unwrap_err().kind(), StoreErrorKind::Overloaded);
    drop((waiting, more));
}

#[test]
fn a_request_that_waited_too_long_is_not_sent() {
    let tally = Arc::new(Tally::default());
    let queue = Arc::new(Queue::new(tally.clone()));
    let calls = Arc::new(Script(Mutex::new(End::Panicked)));
    let dispatcher = Dispatcher { queue: queue.clone(), calls, timeout: Duration::ZERO };
    let (answer, waiting) = Answer::later();
    queue.send(vec![QueuedRequest { acquire: request(0), answer }], None);
    dispatcher.serve_or_drop(queue.take(0).unwrap());
    assert_eq!(waiting.wait().unwrap_err().kind(), StoreErrorKind::Overloaded);
    assert_eq!((tally.overloads.get(), tally.unanswered.get()), (1, 1));
}

#[test]
fn a_dispatcher_ends_when_the_queue_is_closed() {
    let queue = Arc::new(Queue::new(Arc::default()));
    queue.close();
    let calls = Arc::new(Script(Mutex::new(End::Answered)));
    Dispatcher { queue, calls, timeout: Duration::MAX }.run();
}

/// A server that says when it is asked, and answers when it may.
struct Gate {
    asked: mpsc::Sender<()>,
    answer: Mutex<mpsc::Receiver<()>>,
}

impl Calls for Gate {
    fn acquire(&self, asked: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        self.asked.send(()).unwrap();
        let _ = self.answer.lock().unwrap().recv();
        vec![Err(StoreErrorKind::Refused); asked.len()]
    }

    fn reset(&self, _: &[Key]) -> Result<(), StoreError> {
        Ok(())
    }

    fn refund(&self, _: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>> {
        Vec::new()
    }

    fn slots(&self, _: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError> {
        Ok(vec![true; slots.len()])
    }

    fn ask_overrides(&self, _: &OverrideCall) -> Result<OverrideReply, StoreError> {
        Err(StoreError::new(StoreErrorKind::Refused))
    }
}

#[test]
fn a_request_does_not_wait_for_the_call_of_another_while_a_dispatcher_is_idle() {
    let queue = Arc::new(Queue::new(Arc::default()));
    let ((asked, is_asked), (let_answer, answer)) = (mpsc::channel(), mpsc::channel::<()>());
    let calls = Arc::new(Gate { asked, answer: Mutex::new(answer) });
    let dispatch = || {
        let (queue, calls) = (queue.clone(), calls.clone());
        thread::spawn(move || Dispatcher { queue, calls, timeout: Duration::MAX }.run())
    };
    let dispatchers: Vec<_> = (0..DISPATCHERS).map(|_| dispatch()).collect();
    for number in 0..2 {
        let (answer, _) = Answer::later();
        queue.send(vec![QueuedRequest { acquire: request(number), answer }], None);
        is_asked.recv_timeout(Duration::from_secs(10)).expect("a dispatcher comes");
    }
    drop(let_answer);
    queue.close();
    dispatchers.into_iter().for_each(|dispatcher| dispatcher.join().unwrap());
}
