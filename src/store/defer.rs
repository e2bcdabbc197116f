//! Work deferred to the end of a thread's turn: the requests that the tasks of a thread make during one
//! turn go to the store together, and the answers come back together.
//!
//! Waking a task of another thread costs a system call. A [`DeferTask`] is one task per thread that is
//! woken on behalf of all others. It runs after the tasks that are ready, so nothing waits for more
//! requests to come.
//!
//! A runtime with one thread per worker, as actix has, spawns a task on each. In a runtime that moves tasks
//! between threads, as tokio's is, each thread that asks gets a task of its own, which may run on any
//! thread: see [`DeferTask::of_this_thread`].

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

thread_local! {
    /// The deferred work of this thread, while it has a [`DeferTask`].
    static CURRENT: RefCell<Option<Arc<Deferred>>> = const { RefCell::new(None) };
}

/// What a [`DeferTask`] attends to in each of its turns, beside the work that was deferred.
pub(super) trait Attended: Send + Sync {
    /// Does what is possible by now, and has `context` woken when more is.
    fn attend(&self, context: &mut Context<'_>);

    /// Leaves to other threads what is under way: the task cannot come for a while, or never comes again.
    fn leave(&self);

    /// Whether it needs no attendance any more.
    fn is_over(&self) -> bool;
}

/// The work that one thread leaves for the end of its turn.
#[derive(Default)]
pub(super) struct Deferred {
    queue: Mutex<Queue>,
    attended: Mutex<Vec<Arc<dyn Attended>>>,
    /// Whether its task is gone for good, as when its runtime was shut down.
    has_ended: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// Wakes the [`DeferTask`]; `None` while there is none, or while its thread is blocked.
    task: Option<Waker>,
    work: Vec<Work>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Deferred {
    /// The deferred work of this thread, if it has a [`DeferTask`].
    pub(super) fn here() -> Option<Arc<Self>> {
        CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
    }

    /// Has the task do `work` at the end of the turn; without a task, does it at once and in this thread.
    pub(super) fn defer(&self, work: impl FnOnce() + Send + 'static) {
        let mut queue = self.lock();
        let Some(task) = &queue.task else {
            drop(queue);
            return work();
        };
        // The first work of a turn wakes the task; the rest need not.
        let task = queue.work.is_empty().then(|| task.clone());
        queue.work.push(Box::new(work));
        drop(queue);
        if let Some(task) = task {
            task.wake();
        }
    }

    /// Has the task attend to `attended` from now on.
    pub(super) fn add(&self, attended: Arc<dyn Attended>) {
        self.attended().push(attended);
    }

    /// Has the task come at the end of the turn; false if it cannot.
    pub(super) fn wake(&self) -> bool {
        let task = self.lock().task.clone();
        let is_there = task.is_some();
        task.into_iter().for_each(Waker::wake);
        is_there
    }

    /// Attends to all that the task attends to, for as long as it needs that.
    fn attend(&self, context: &mut Context<'_>) {
        self.attended().retain(|it| {
            it.attend(context);
            !it.is_over()
        });
    }

    /// Leaves all that to other threads.
    fn leave(&self) {
        self.attended().iter().for_each(|it| it.leave());
    }

    /// Does all work in the queue. From now on, new work wakes `task`.
    fn run(&self, task: Option<Waker>) {
        let mut queue = self.lock();
        queue.task = task;
        let work = std::mem::take(&mut queue.work);
        drop(queue);
        work.into_iter().for_each(|work| work());
    }

    fn attended(&self) -> MutexGuard<'_, Vec<Arc<dyn Attended>>> {
        self.attended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Deferred {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deferred").finish_non_exhaustive()
    }
}

/// Blocks this thread in `wait`. Its [`DeferTask`] cannot run meanwhile, so work that comes is done at
/// once.
pub(super) fn blocked<T>(wait: impl FnOnce() -> T) -> T {
    let Some(deferred) = Deferred::here() else { return wait() };
    let task = deferred.lock().task.clone();
    deferred.run(None);
    deferred.leave();
    let waited = wait();
    deferred.run(task);
    waited
}

/// Does the deferred work of a thread: a task that never ends. A thread needs one.
#[derive(Debug, Default)]
pub(crate) struct DeferTask {
    /// That of the thread which polls the task first, unless it was given before.
    deferred: Option<Arc<Deferred>>,
    yields: bool,
    has_yielded: bool,
}

#[cfg(feature = "tower")]
impl DeferTask {
    /// Whether this thread has a task that still runs.
    pub(crate) fn is_here() -> bool {
        let runs = |it: &Arc<Deferred>| !it.has_ended.load(Ordering::Relaxed);
        CURRENT.try_with(|current| current.borrow().as_ref().is_some_and(runs)).unwrap_or(true)
    }

    /// The task of this thread, for a runtime that moves tasks between threads. It yields once before it works, so
    /// that the tasks that are ready come first there as well.
    pub(crate) fn of_this_thread() -> Self {
        let deferred = Arc::<Deferred>::default();
        CURRENT.set(Some(deferred.clone()));
        Self { deferred: Some(deferred), yields: true, has_yielded: false }
    }
}

impl Future for DeferTask {
    type Output = ();

    /// Ends at once where the thread has a task already.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.deferred.is_none() {
            if Deferred::here().is_some() {
                return Poll::Ready(());
            }
            CURRENT.set(Some(self.deferred.insert(Arc::default()).clone()));
        }
        if self.yields && !self.has_yielded {
            self.has_yielded = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_yielded = false;
        if let Some(deferred) = &self.deferred {
            deferred.run(Some(context.waker().clone()));
            deferred.attend(context);
        }
        Poll::Pending
    }
}

impl Drop for DeferTask {
    fn drop(&mut self) {
        let Some(deferred) = self.deferred.take() else { return };
        deferred.has_ended.store(true, Ordering::Relaxed);
        let _ = CURRENT
            .try_with(|current| current.borrow_mut().take_if(|it| Arc::ptr_eq(it, &deferred)));
        deferred.run(None);
        deferred.leave();
        deferred.attended().clear();
    }
}

#[cfg(test)]
mod tests;
