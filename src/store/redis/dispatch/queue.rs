//! The queue to the dispatcher threads, and what the tasks of one thread put into it together.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::store::defer::Deferred;
use crate::store::redis::health::status::Tally;
use crate::store::{Acquire, Acquired, Key, StoreError, StoreErrorKind};

/// How many requests may wait: more than that would wait longer than they may.
pub(super) const MAX_WAITING: usize = 8_192;

/// How many requests one script call decides at most: Redis serves nobody else meanwhile.
pub(crate) const MAX_BATCH: usize = 128;

/// How many requests of one thread go out together at most: more than these do not wait for the end
/// of a long turn while a dispatcher may be idle.
const MAX_GROUP: usize = 16;

/// While no more requests than these are under way, an idle dispatcher takes the next at once: so few
/// are not worth waiting for.
const FEW: usize = 2;

/// How long a dispatcher may be away before an idle one is woken for what is asked then: longer than a
/// call to a server nearby takes, since what one dispatcher sends at once costs less than what two do.
const PATIENCE: Duration = Duration::from_millis(1);

thread_local! {
    /// What this thread gathers for each queue in its present turn.
    static GATHERS: RefCell<Vec<Weak<Gather>>> = const { RefCell::new(Vec::new()) };
}

/// The requests that one thread makes of one queue in one turn, until its deferred work sends them.
#[derive(Debug)]
struct Gather {
    queue: Arc<Queue>,
    /// `None` once they are sent, perhaps by another thread.
    asked: Mutex<Option<Vec<Asked>>>,
}

/// Jobs that wait for a dispatcher.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    more: Condvar,
    tally: Arc<Tally>,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Requests in them.
    waiting: usize,
    /// Requests that dispatchers have taken and not yet answered.
    under_way: usize,
    /// Dispatchers that wait for a job.
    idle: usize,
    /// Whether one of them was called, and has not come yet.
    is_called: bool,
    /// When one came last.
    came: Option<Instant>,
    is_closed: bool,
}

#[derive(Debug)]
pub(super) enum Job {
    Acquire(Group),
    Reset { keys: Vec<Key>, answer: AnswerTo<()> },
}

/// What one thread asked in one turn.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) asked: Vec<Asked>,
    pub(super) queued: Instant,
    /// Where the answers are left; they are sent one by one where there is none.
    pub(super) deferred: Option<Arc<Deferred>>,
}

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) acquire: Acquire,
    pub(super) answer: AnswerTo<Acquired>,
}

pub(super) type AnswerTo<T> = oneshot::Sender<Result<T, StoreError>>;

impl Queue {
    /// An empty queue, which counts in `tally` what was not answered.
    pub(super) fn new(tally: Arc<Tally>) -> Self {
        Self { state: Mutex::default(), more: Condvar::new(), tally }
    }

    /// Sends `asked` at the end of this thread's turn, with all else that the thread asks until then.
    pub(super) fn ask(self: &Arc<Self>, asked: Asked) {
        let Some(deferred) = Deferred::here() else { return self.send(vec![asked], None) };
        let begun = GATHERS.with_borrow_mut(|gathers| {
            // Those that were sent are gone.
            gathers.retain(|gather| gather.strong_count() > 0);
            let mut gathers_now = gathers.iter().filter_map(Weak::upgrade);
            gathers_now.find(|gather| Arc::ptr_eq(&gather.queue, self))
        });
        let asked = match begun {
            Some(gather) => match gather.add(asked) {
                Ok(None) => return,
                Ok(Some(full)) => return self.send(full, Some(deferred)),
                Err(asked) => asked,
            },
            None => asked,
        };
        let gather = Arc::new(Gather { queue: self.clone(), asked: Mutex::new(Some(vec![asked])) });
        GATHERS.with_borrow_mut(|gathers| gathers.push(Arc::downgrade(&gather)));
        deferred.clone().defer(move || gather.send(deferred));
    }

    pub(super) fn reset(&self, keys: Vec<Key>, answer: AnswerTo<()>) {
        // A job that is not taken is dropped, which answers it.
        let _ = self.push(Job::Reset { keys, answer });
    }

    /// The next jobs, of at most [`MAX_BATCH`] requests together, as soon as there are any; `None`
    /// when nobody asks any more. Whoever takes them has answered `served` requests since it came last.
    ///
    /// Never waits for more: an idle system sends a batch of one at once, a busy one what gathered
    /// while the last call was under way.
    pub(super) fn take(&self, served: usize) -> Option<Vec<Job>> {
        let mut state = self.lock();
        state.under_way -= served;
        while state.jobs.is_empty() {
            if state.is_closed {
                return None;
            }
            state.idle += 1;
            state = self.more.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
            state.is_called = false;
        }
        state.came = Some(Instant::now());
        let mut taken = 0;
        let fits = |job: &&Job| {
            taken += job.len();
            taken <= MAX_BATCH
        };
        let count = state.jobs.iter().take_while(fits).count();
        let jobs: Vec<Job> = state.jobs.drain(..count).collect();
        let requests = Job::requests(&jobs);
        state.waiting -= requests;
        state.under_way += requests;
        Some(jobs)
    }

    /// Lets the dispatchers end when they have taken what is left.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.more.notify_all();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lock().jobs.is_empty()
    }

    /// Does not send `group`: too many requests wait, or these have waited for too long.
    pub(super) fn refuse(&self, group: Group) {
        self.tally.overloads.add(group.asked.len() as u64);
        let answers: Vec<_> = group.asked.into_iter().map(|asked| asked.answer).collect();
        let refused = vec![Err(StoreErrorKind::Overloaded); answers.len()];
        self.answer(answers, group.deferred, refused);
    }

    /// Answers each of `answers` with the next of `decided`, at `deferred` if there is one, and counts what
    /// no server decided.
    pub(super) fn answer(
        &self,
        answers: Vec<AnswerTo<Acquired>>,
        deferred: Option<Arc<Deferred>>,
        decided: Vec<Result<Acquired, StoreErrorKind>>,
    ) {
        let unanswered = decided.iter().filter(|it| it.is_err()).count();
        if unanswered > 0 {
            self.tally.unanswered.add(unanswered as u64);
        }
        let send = move || {
            for (answer, decided) in answers.into_iter().zip(decided) {
                // Whoever asked may have gone.
                let _ = answer.send(decided.map_err(StoreError::new));
            }
        };
        match deferred {
            Some(deferred) => deferred.defer(send),
            None => send(),
        }
    }

    fn send(&self, asked: Vec<Asked>, deferred: Option<Arc<Deferred>>) {
        if let Err(Job::Acquire(group)) =
            self.push(Job::Acquire(Group { asked, queued: Instant::now(), deferred }))
        {
            self.refuse(group);
        }
    }

    /// Gives `job` back where too many requests wait.
    fn push(&self, job: Job) -> Result<(), Job> {
        let mut state = self.lock();
        if state.waiting + job.len() > MAX_WAITING {
            return Err(job);
        }
        state.waiting += job.len();
        state.jobs.push_back(job);
        let calls = state.idle > 0 && !state.is_called && state.wants_another();
        state.is_called |= calls;
        drop(state);
        if calls {
            self.more.notify_one();
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gather {
    /// Adds `asked`; returns all of them where they are as many as go out together.
    ///
    /// # Errors
    /// With `asked`, when the others were sent meanwhile.
    fn add(&self, asked: Asked) -> Result<Option<Vec<Asked>>, Asked> {
        let mut gathered = self.lock();
        let Some(group) = gathered.as_mut() else { return Err(asked) };
        group.push(asked);
        Ok((group.len() == MAX_GROUP).then(|| std::mem::take(group)))
    }

    fn send(&self, deferred: Arc<Deferred>) {
        let group = self.lock().take();
        if let Some(group) = group.filter(|group| !group.is_empty()) {
            self.queue.send(group, Some(deferred));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Asked>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the busy dispatchers have next to nothing to do, leave more waiting than one call
    /// decides, or have not come for too long: a call may hang.
    fn wants_another(&self) -> bool {
        self.under_way <= FEW
            || self.waiting > MAX_BATCH
            || self.came.is_none_or(|came| came.elapsed() > PATIENCE)
    }
}

impl Job {
    /// How many requests `jobs` hold.
    pub(super) fn requests(jobs: &[Self]) -> usize {
        jobs.iter().map(Self::len).sum()
    }

    fn len(&self) -> usize {
        match self {
            Self::Acquire(group) => group.asked.len(),
            Self::Reset { .. } => 0,
        }
    }
}
