//! The end of a thread's turn: what its tasks ask until then goes to a store together, and what the
//! store answers comes back together.
//!
//! To wake a task of another thread takes a system call. A [`Clerk`] is one task a thread that is
//! woken for all others: it runs after those that are ready, so nothing waits for more to come.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

thread_local! {
    /// The desk of this thread, while it has a clerk.
    static HERE: RefCell<Option<Arc<Desk>>> = const { RefCell::new(None) };
}

/// Where work is left for a thread, to be done at the end of its turn.
#[derive(Default)]
pub(super) struct Desk(Mutex<Work>);

#[derive(Default)]
struct Work {
    /// Wakes the clerk; `None` while there is none, or it cannot come.
    clerk: Option<Waker>,
    left: Vec<Piece>,
}

type Piece = Box<dyn FnOnce() + Send>;

impl Desk {
    /// The desk of this thread, where it has one.
    pub(super) fn here() -> Option<Arc<Self>> {
        HERE.try_with(|here| here.borrow().clone()).ok().flatten()
    }

    /// Has `piece` done in the desk's thread at the end of its turn; here and now where it has no clerk.
    pub(super) fn leave(&self, piece: impl FnOnce() + Send + 'static) {
        let mut work = self.lock();
        let Some(clerk) = &work.clerk else {
            drop(work);
            return piece();
        };
        // Whoever left the first has woken the clerk.
        let clerk = work.left.is_empty().then(|| clerk.clone());
        work.left.push(Box::new(piece));
        drop(work);
        if let Some(clerk) = clerk {
            clerk.wake();
        }
    }

    /// Does what was left. `clerk` is who comes from now on.
    fn clear(&self, clerk: Option<Waker>) {
        let mut work = self.lock();
        work.clerk = clerk;
        let left = std::mem::take(&mut work.left);
        drop(work);
        left.into_iter().for_each(|piece| piece());
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// Blocks this thread in `wait`. Its clerk cannot come meanwhile: what is left for it is done at once.
pub(super) fn blocked<T>(wait: impl FnOnce() -> T) -> T {
    let Some(desk) = Desk::here() else { return wait() };
    let clerk = desk.lock().clerk.clone();
    desk.clear(None);
    let waited = wait();
    desk.clear(clerk);
    waited
}

/// Does what is left for its thread: a task that never ends, of which a thread needs one.
#[derive(Debug, Default)]
pub(crate) struct Clerk(Option<Arc<Desk>>);

impl Future for Clerk {
    type Output = ();

    /// Ends at once where the thread has a clerk already.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.is_none() {
            if Desk::here().is_some() {
                return Poll::Ready(());
            }
            HERE.set(Some(self.0.insert(Arc::default()).clone()));
        }
        if let Some(desk) = &self.0 {
            desk.clear(Some(context.waker().clone()));
        }
        Poll::Pending
    }
}

impl Drop for Clerk {
    fn drop(&mut self) {
        let Some(desk) = self.0.take() else { return };
        let _ = HERE.try_with(|here| here.borrow_mut().take_if(|it| Arc::ptr_eq(it, &desk)));
        desk.clear(None);
    }
}

#[cfg(test)]
mod tests;
