//! The slots that requests under way hold in a store: renewed while a request goes on, and given back once, at its end.

use std::any::Any;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::domain::slot::{Held, SlotId, Slots};
use crate::store::{Acquire, Acquired, Answer, Awaited, Charge, Slot, Store};

/// A slot is renewed this many times before it would end: two renewals may fail.
const RENEWALS: u32 = 3;

/// The slots of all requests of a limiter that are under way.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    state: Mutex<State>,
    /// The renewer has something to do.
    wakes: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<u64, HeldSlots>,
    /// The number of the next request.
    next: u64,
    /// Questions whose requests have ended before they were answered.
    abandoned: Vec<Abandoned>,
    /// Whether there is a thread that renews slots.
    has_renewer: bool,
    /// Whether it waits until there are slots.
    is_idle: bool,
}

/// The slots of one request.
#[derive(Debug)]
struct HeldSlots {
    store: Arc<dyn Store>,
    slots: Vec<Slot>,
    /// When they were taken or renewed.
    since: Instant,
}

/// A question whose request has ended.
#[derive(Debug)]
struct Abandoned {
    store: Arc<dyn Store>,
    asked: Acquire,
    answer: Awaited<Acquired>,
}

/// The slots of one request, which are given back when it is dropped.
#[derive(Debug)]
struct HeldRequest {
    in_flight: Arc<InFlight>,
    number: u64,
}

impl InFlight {
    /// Holds the slots that `asked` took of `store`; `None` if it took none.
    pub(super) fn hold(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        asked: &Acquire,
        acquired: &Acquired,
    ) -> Option<Slots> {
        let (held, unused) = slots_of(asked, acquired);
        if !unused.is_empty() {
            // Nobody waits for that.
            drop(store.release(unused));
        }
        if held.is_empty() {
            return None;
        }
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let since = Instant::now();
        state.held.insert(number, HeldSlots { store: store.clone(), slots: held, since });
        self.wake(state);
        Some(Slots::new(HeldRequest { in_flight: self.clone(), number }))
    }

    /// Gives back what `asked` takes of `store`, once it is answered: its request has ended before.
    pub(super) fn abandon(
        self: &Arc<Self>,
        store: &Arc<dyn Store>,
        asked: Acquire,
        answer: Awaited<Acquired>,
    ) {
        let mut state = self.lock();
        state.abandoned.push(Abandoned { store: store.clone(), asked, answer });
        self.wake(state);
    }

    /// Wakes the renewer, if it does not know that there is anything to do, or starts it.
    fn wake(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if mem::take(&mut state.is_idle) || !state.abandoned.is_empty() {
            self.wakes.notify_one();
        }
        if !mem::replace(&mut state.has_renewer, true) {
            let in_flight = Arc::downgrade(self);
            let started = thread::Builder::new()
                .name("tollgate-slots".into())
                .spawn(move || renew(&in_flight));
            if let Err(error) = started {
                log::error!("The slots of requests under way cannot be renewed: {error}");
                state.has_renewer = false;
            }
        }
    }

    /// Renews the slots that are due at `now`, and returns when the next ones are; `None` if none are held.
    fn renew_due(&self, now: Instant) -> Option<Instant> {
        let mut by_store: Vec<(Arc<dyn Store>, Vec<Slot>)> = Vec::new();
        let mut next: Option<Instant> = None;
        for held in self.lock().held.values_mut() {
            let period = held.period();
            if now.saturating_duration_since(held.since) >= period {
                held.since = now;
                let slots = held.slots.iter().cloned();
                match by_store.iter_mut().find(|(store, _)| Arc::ptr_eq(store, &held.store)) {
                    Some((_, of_store)) => of_store.extend(slots),
                    None => by_store.push((held.store.clone(), slots.collect())),
                }
            }
            let due = held.since + period;
            next = Some(next.map_or(due, |next| next.min(due)));
        }
        for (store, slots) in by_store {
            let asked = slots.len();
            match store.renew(slots).wait() {
                Ok(held) => {
                    let lost = held.iter().filter(|is_held| !**is_held).count();
                    if lost > 0 {
                        log::debug!("{lost} of {asked} slots of requests under way had ended.");
                    }
                }
                Err(error) => log::debug!("{asked} slots could not be renewed: {error}"),
            }
        }
        next
    }

    fn settle_abandoned(&self) {
        let abandoned = mem::take(&mut self.lock().abandoned);
        for Abandoned { store, asked, answer } in abandoned {
            if let Ok(acquired) = answer.wait() {
                let (mut slots, unused) = slots_of(&asked, &acquired);
                slots.extend(unused);
                drop(store.release(slots));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews slots until the limiter is gone.
fn renew(in_flight: &Weak<InFlight>) {
    /// How long it may take until the renewer sees that the limiter is gone.
    const LONGEST_WAIT: Duration = Duration::from_secs(5);
    while let Some(in_flight) = in_flight.upgrade() {
        in_flight.settle_abandoned();
        let next = in_flight.renew_due(Instant::now());
        let mut state = in_flight.lock();
        state.is_idle = next.is_none();
        let wait = next.map_or(LONGEST_WAIT, |next| {
            next.saturating_duration_since(Instant::now()).min(LONGEST_WAIT)
        });
        if state.abandoned.is_empty() {
            drop(in_flight.wakes.wait_timeout(state, wait));
        }
    }
}

impl HeldSlots {
    /// The time between two renewals.
    fn period(&self) -> Duration {
        let windows = self.slots.iter().map(|slot| slot.charge.policy.terms().window.longest());
        Duration::from_millis(windows.min().unwrap_or(0)) / RENEWALS
    }
}

impl HeldRequest {
    /// Gives the slots back; `None` if that was done before.
    fn give_back(&self) -> Option<Answer<Vec<bool>>> {
        let HeldSlots { store, slots, .. } = self.in_flight.lock().held.remove(&self.number)?;
        Some(store.release(slots))
    }
}

impl Held for HeldRequest {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for HeldRequest {
    fn drop(&mut self) {
        // Nobody waits for the answer. A slot that cannot be given back ends by itself.
        drop(self.give_back());
    }
}

/// Begins to give `slots` back; `None` if that was done before. The client's next request may count on it once the
/// answer is there.
pub(super) fn give_back(slots: &Slots) -> Option<Answer<Vec<bool>>> {
    slots.as_any().downcast_ref::<HeldRequest>()?.give_back()
}

/// The slots that the requests of `asked` hold, and those that trials took for requests that are not admitted.
fn slots_of(asked: &Acquire, acquired: &Acquired) -> (Vec<Slot>, Vec<Slot>) {
    let (mut held, mut unused) = (Vec::new(), Vec::new());
    let mut take = |index: usize, charge: &Charge, taken: u32| {
        let Some(first) = acquired.slot(index).filter(|_| charge.is_in_flight()) else { return };
        for number in 0..taken {
            let id: SlotId = first.after(number.into());
            let slots = if number < acquired.admitted { &mut held } else { &mut unused };
            slots.push(Slot::new(charge.clone(), id));
        }
    };
    for (index, charge) in asked.charges.iter().enumerate() {
        take(index, charge, acquired.admitted);
    }
    let mut index = asked.charges.len();
    for (trial, answer) in asked.trials.iter().zip(&acquired.trials) {
        for charge in trial.charges() {
            take(index, charge, answer.admitted);
            index += 1;
        }
    }
    (held, unused)
}

#[cfg(test)]
mod tests;
