//! Every order in which requests, two dispatchers and what goes wrong can follow each other, played
//! by the real dispatchers in one thread.

use std::cell::Cell;
use std::future::Future as _;
use std::panic::resume_unwind;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::key::Identity;
use crate::policy::Policy;
use crate::quota::Cost;
use crate::store::{Charge, Keyspace};

const REQUESTS: u64 = 3;
const DISPATCHERS: usize = 2;

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Answered,
    /// The connection died in the middle of the batch.
    Broken,
    /// A reply of another length, as of another batch.
    Garbled,
    /// The thread panicked.
    Panicked,
}

const ENDS: [End; 4] = [End::Answered, End::Broken, End::Garbled, End::Panicked];

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Take(usize),
    Finish(usize, End),
}

/// A server whose every key has a `remaining` of its own: an answer shows whose it is.
struct Script(Cell<End>);

impl Calls for Script {
    fn acquire(&self, batch: &Batch) -> Result<Vec<i64>, StoreError> {
        let mut reply = Vec::new();
        for request in batch.groups().iter().flat_map(|group| group.requests()) {
            let number: i64 = request.keys()[0].hash_tag()["user:".len()..].parse().unwrap();
            reply.extend([i64::from(request.count()), number, 0, 0]);
        }
        match self.0.get() {
            End::Answered => Ok(reply),
            End::Garbled => Ok(reply.split_off(1)),
            End::Broken => Err(StoreError::new(StoreErrorKind::Unreachable)),
            End::Panicked => resume_unwind(Box::new("a panic without a message")),
        }
    }

    fn reset(&self, _: &[Key]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The dispatchers and their queue, in one thread.
struct World {
    queue: Sender<Job>,
    dispatchers: Vec<Dispatcher<Script>>,
    held: [Option<Vec<Job>>; DISPATCHERS],
    asked: u64,
    answers: Vec<Answer<Acquired>>,
    /// How the call ended that held each request.
    ends: Vec<Option<End>>,
}

impl World {
    fn new() -> Self {
        let (queue, jobs) = bounded(QUEUE);
        let dispatcher = |_| Dispatcher {
            jobs: jobs.clone(),
            calls: Script(Cell::new(End::Answered)),
            timeout: Duration::MAX,
        };
        Self {
            queue,
            dispatchers: (0..DISPATCHERS).map(dispatcher).collect(),
            held: [None, None],
            asked: 0,
            answers: Vec::new(),
            ends: vec![None; usize::try_from(REQUESTS).unwrap()],
        }
    }

    /// What can happen next.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.asked < REQUESTS {
            steps.push(Step::Ask);
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
                let acquire = request(self.asked);
                self.queue.send(Job::Acquire { acquire, queued: Instant::now(), answer }).unwrap();
                self.answers.push(waiting);
                self.asked += 1;
            }
            Step::Take(number) => self.held[number] = self.dispatchers[number].take(),
            Step::Finish(number, end) => {
                let jobs = self.held[number].take().unwrap();
                for job in &jobs {
                    let Job::Acquire { acquire, .. } = job else { continue };
                    let number = usize::try_from(number_of(&acquire.charges[0].key)).unwrap();
                    assert_eq!(self.ends[number].replace(end), None, "taken twice");
                }
                self.dispatchers[number].calls.0.set(end);
                self.dispatchers[number].serve_or_drop(jobs);
            }
        }
    }

    /// That everyone was answered, once, with what is theirs.
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
    Acquire { charges: vec![Charge { policy, key }], cost: Cost::ONE, count: 1 }
}

fn number_of(key: &Key) -> u64 {
    key.hash_tag()["user:".len()..].parse().unwrap()
}

#[test]
fn nobody_is_answered_anothers_decision_or_twice_or_left_waiting() {
    let mut orders = 0;
    let mut unplayed = vec![Vec::new()];
    while let Some(played) = unplayed.pop() {
        let mut world = World::new();
        played.iter().for_each(|step| world.play(*step));
        let next = world.steps();
        if next.is_empty() {
            orders += 1;
            world.assert_answered(&played);
        }
        unplayed.extend(next.into_iter().map(|step| [&played[..], &[step]].concat()));
    }
    assert!(orders > 1_000, "only {orders} orders");
}

#[test]
fn a_request_that_waited_too_long_is_not_sent() {
    let (queue, jobs) = bounded(1);
    let calls = Script(Cell::new(End::Panicked));
    let dispatcher = Dispatcher { jobs, calls, timeout: Duration::ZERO };
    let (answer, waiting) = Answer::later();
    queue.send(Job::Acquire { acquire: request(0), queued: Instant::now(), answer }).unwrap();
    dispatcher.serve_or_drop(dispatcher.take().unwrap());
    assert_eq!(waiting.wait().unwrap_err().kind(), StoreErrorKind::Overloaded);
}

#[test]
fn a_dispatcher_ends_when_nobody_asks_any_more() {
    let (queue, jobs) = bounded(1);
    drop(queue);
    let calls = Script(Cell::new(End::Answered));
    Dispatcher { jobs, calls, timeout: Duration::MAX }.run();
}
