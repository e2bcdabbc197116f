//! The requests that a connection has in progress.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Waker};

use actix_web::rt::time::Instant;

/// The requests that a connection has in progress, and since when it has none.
#[derive(Debug)]
pub(super) struct Streams {
    open: Cell<usize>,
    has_begun: Cell<bool>,
    idle_since: Cell<Instant>,
    waker: RefCell<Option<Waker>>,
}

/// One request; dropping it says that its response is written or its client is gone.
#[derive(Debug)]
pub(super) struct Stream(Rc<Streams>);

impl Streams {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            open: Cell::new(0),
            has_begun: Cell::new(false),
            idle_since: Cell::new(Instant::now()),
            waker: RefCell::new(None),
        })
    }

    /// Notes that a request has begun.
    pub(super) fn open(self: &Rc<Self>) -> Stream {
        self.open.set(self.open.get() + 1);
        self.has_begun.set(true);
        Stream(self.clone())
    }

    /// Whether there was any request.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.get()
    }

    /// Since when there is no request; `None` while there is one. Then the end of the last one wakes the task of `context`.
    pub(super) fn idle_since(&self, context: &Context<'_>) -> Option<Instant> {
        if self.open.get() == 0 {
            return Some(self.idle_since.get());
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
            *waker = Some(context.waker().clone());
        }
        None
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let open = self.0.open.get() - 1;
        self.0.open.set(open);
        if open == 0 {
            self.0.idle_since.set(Instant::now());
            self.0.waker.borrow_mut().take().into_iter().for_each(Waker::wake);
        }
    }
}
