//! Gathers the requests that a thread makes in one turn, so that they go out as one call.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Context;

use super::direct::Direct;
use super::queue::{MAX_WAITING, Queue, QueuedRequest};
use crate::store::defer::{Attended, Deferred};
use crate::store::redis::script::batch::MAX_BATCH;
use crate::store::redis::servers::Servers;

thread_local! {
    /// What this thread gathers for each store.
    static GATHERS: RefCell<Vec<Weak<Gather>>> = const { RefCell::new(Vec::new()) };
}

/// The requests that one thread makes of one store in one turn, until its task sends them.
pub(super) struct Gather {
    queue: Arc<Queue>,
    servers: Option<Weak<Servers>>,
    deferred: Arc<Deferred>,
    state: Mutex<State>,
}

struct State {
    gathered: Vec<QueuedRequest>,
    /// Whether the task comes at the end of this turn.
    is_woken: bool,
    /// `None` where dispatchers make all calls.
    direct: Option<Direct>,
}

/// Asks `request`, together with the other requests of this thread in its present turn: directly if there is one server
/// and this thread has a reactor, or else by way of `queue`.
pub(super) fn ask(queue: &Arc<Queue>, servers: Option<&Arc<Servers>>, request: QueuedRequest) {
    let Some(deferred) = Deferred::here() else { return queue.send(vec![request], None) };
    let known = GATHERS.with_borrow_mut(|gathers| {
        let mut live = gathers.iter().filter_map(Weak::upgrade);
        live.find(|it| Arc::ptr_eq(&it.queue, queue) && Arc::ptr_eq(&it.deferred, &deferred))
    });
    let gather = known.unwrap_or_else(|| Gather::begin(queue, servers, &deferred));
    gather.add(request);
}

impl Gather {
    /// Begins to gather requests of this thread, which `deferred` belongs to.
    fn begin(
        queue: &Arc<Queue>,
        servers: Option<&Arc<Servers>>,
        deferred: &Arc<Deferred>,
    ) -> Arc<Self> {
        let direct = servers.and_then(Direct::here);
        let state = State { gathered: Vec::new(), is_woken: false, direct };
        let gather = Arc::new(Self {
            queue: queue.clone(),
            servers: servers.map(Arc::downgrade),
            deferred: deferred.clone(),
            state: Mutex::new(state),
        });
        deferred.add(gather.clone());
        GATHERS.with_borrow_mut(|gathers| {
            gathers.retain(|gather| gather.strong_count() > 0);
            gathers.push(Arc::downgrade(&gather));
        });
        gather
    }

    fn add(&self, request: QueuedRequest) {
        let mut state = self.lock();
        if state.gathered.len() >= MAX_WAITING {
            drop(state);
            return self.queue.refuse(vec![request], None);
        }
        state.gathered.push(request);
        if state.gathered.len().is_multiple_of(MAX_BATCH) {
            self.send(&mut state);
        }
        let is_woken = std::mem::replace(&mut state.is_woken, true);
        drop(state);
        if !is_woken && !self.deferred.wake() {
            // The task is gone, or this thread is blocked in a wait.
            self.leave();
        }
    }

    /// Sends what may be sent at once.
    fn send(&self, state: &mut State) {
        let State { gathered, direct, .. } = state;
        match direct {
            Some(direct) => direct.send(gathered, &self.queue, |unsent| self.queue(unsent)),
            None if gathered.is_empty() => {}
            None => self.queue(std::mem::take(gathered)),
        }
    }

    /// Has a dispatcher ask `requests`.
    fn queue(&self, requests: Vec<QueuedRequest>) {
        self.queue.send(requests, Some(self.deferred.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attended for Gather {
    fn attend(&self, context: &mut Context<'_>) {
        let mut state = self.lock();
        state.is_woken = false;
        let State { gathered, direct, .. } = &mut *state;
        match direct {
            Some(direct) => {
                direct.attend(gathered, &self.queue, |unsent| self.queue(unsent), context);
            }
            None => self.send(&mut state),
        }
    }

    fn leave(&self) {
        let mut state = self.lock();
        let gathered = std::mem::take(&mut state.gathered);
        if let Some(direct) = &mut state.direct {
            direct.leave(&self.queue);
        }
        drop(state);
        if !gathered.is_empty() {
            self.queue(gathered);
        }
    }

    fn is_over(&self) -> bool {
        self.servers.as_ref().is_some_and(|servers| servers.strong_count() == 0)
    }
}
