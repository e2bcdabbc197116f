//! A question to the store, and what becomes of it: the answer, or what holds without one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::Limiter;
use super::deny_cache::Moment;
use super::leases::InHand;
use super::observe::Decided;
use super::observer::{AskedBy, DecidedBy, Outcome};
use super::unavailable::Unavailable;
use crate::domain::policy::OnStoreFailure;
use crate::domain::slot::Slots;
use crate::store::{Acquire, Acquired, Awaited, Charge, Few, Store, StoreError, StoreErrorKind};

/// What was asked in the end, and the answer. If the store failed, that may be fewer charges than were asked at first,
/// under this process's shares.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) asked: Acquire,
    pub(super) acquired: Acquired,
    pub(super) by: DecidedBy,
    /// What its requests hold while they are under way.
    pub(super) slots: Option<Slots>,
}

/// A question that the store has not answered yet.
#[derive(Debug)]
pub(super) struct Asking {
    limiter: Limiter,
    question: Option<Question>,
    /// `None` once it is there.
    answer: Option<Awaited<Acquired>>,
}

/// A question to the store.
#[derive(Debug)]
struct Question {
    asked: Acquire,
    /// The units that it has in hand already.
    in_hand: Option<Box<PartInHand>>,
    asked_by: AskedBy,
    /// When and for what the store was asked, if answers are cached.
    moment: Option<Moment>,
    /// Since when it waits for the store, if somebody wants to know.
    since: Option<Instant>,
}

/// The units of some of a request's charges. The store is asked for the others.
#[derive(Debug)]
struct PartInHand {
    units: InHand,
    /// What would be asked without them.
    whole: Acquire,
}

/// Asks the store, unless the answer is known. Returns the answer, or the future to await.
#[expect(
    clippy::result_large_err,
    reason = "the future is moved once, and a box would cost each request more"
)]
pub(super) fn ask(
    limiter: &Limiter,
    asked: Acquire,
    asked_by: AskedBy,
) -> Result<Result<Settled, Unavailable>, Asking> {
    if asked.charges.is_empty() && asked.trials.is_empty() {
        return Ok(Ok(nothing_asked(asked.count)));
    }
    let cache = limiter.0.deny_cache.as_ref();
    if let Some(acquired) = cache.and_then(|cache| cache.answer(&asked, asked_by.purpose)) {
        let by = DecidedBy::DenyCache;
        limiter.observe(&asked, &asked_by, &Decided::of(&asked, &acquired, by, None));
        return Ok(Ok(Settled { asked, acquired, by, slots: None }));
    }
    let (asked, in_hand) = match limiter.take_leased(&asked) {
        None => (asked, None),
        Some(units) if units.is_all_of(&asked) => {
            let (acquired, by) = (units.answer(), DecidedBy::Lease);
            limiter.observe(&asked, &asked_by, &Decided::of(&asked, &acquired, by, None));
            return Ok(Ok(Settled { asked, acquired, by, slots: None }));
        }
        Some(units) => (units.rest_of(&asked), Some(Box::new(PartInHand { units, whole: asked }))),
    };
    let moment = cache.map(|cache| cache.moment(asked_by.purpose));
    let answer = limiter.0.store.acquire(&asked);
    let question = Question { asked, in_hand, asked_by, moment, since: None };
    match answer.now() {
        Ok(answer) => Ok(question.settle(limiter, answer)),
        Err(answer) => {
            let since = limiter.0.observer.is_some().then(Instant::now);
            let question = Some(Question { since, ..question });
            Err(Asking { limiter: limiter.clone(), question, answer: Some(answer) })
        }
    }
}

impl Asking {
    /// Blocks this thread until it is settled.
    pub(super) fn wait(mut self) -> Result<Settled, Unavailable> {
        let closed = || Err(StoreError::new(StoreErrorKind::Closed));
        let answer = self.answer.take().map_or_else(closed, Awaited::wait);
        settle(self.question.take(), &self.limiter, answer)
    }
}

impl Drop for Asking {
    /// The request has ended before it was decided. If it takes slots, nobody else gives them back.
    fn drop(&mut self) {
        if let Some((question, answer)) = self.question.take().zip(self.answer.take())
            && question.asked.is_in_flight()
            && let Some(in_flight) = &self.limiter.0.in_flight
        {
            in_flight.abandon(&self.limiter.0.store, question.asked, answer);
        }
    }
}

impl Future for Asking {
    type Output = Result<Settled, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = match &mut self.answer {
            Some(answer) => ready!(Pin::new(answer).poll(context)),
            None => Err(StoreError::new(StoreErrorKind::Closed)),
        };
        self.answer = None;
        let question = self.question.take();
        Poll::Ready(settle(question, &self.limiter, answer))
    }
}

/// What becomes of `question`, which is asked once.
fn settle(
    question: Option<Question>,
    limiter: &Limiter,
    answer: Result<Acquired, StoreError>,
) -> Result<Settled, Unavailable> {
    let closed = Err(Unavailable::new(StoreErrorKind::Closed));
    question.map_or(closed, |question| question.settle(limiter, answer))
}

impl Question {
    /// Settles it by the store's answer. If the store failed, each policy says what holds.
    fn settle(
        mut self,
        limiter: &Limiter,
        answer: Result<Acquired, StoreError>,
    ) -> Result<Settled, Unavailable> {
        let cache = limiter.0.deny_cache.as_ref().zip(self.moment.as_mut());
        if let Some((cache, moment)) = cache {
            // Also if the store failed: either it has charged, or this process charges instead.
            cache.charged(&self.asked, moment);
        }
        let mut acquired = match answer {
            Ok(acquired) => acquired,
            Err(error) => return self.without_store(limiter, error.kind()),
        };
        if let Some(fallback) = &limiter.0.fallback {
            fallback.learn(&self.asked, &acquired);
        }
        self.join(limiter, &mut acquired);
        if let Some((cache, moment)) = limiter.0.deny_cache.as_ref().zip(self.moment) {
            let is_final = || limiter.is_final(&self.asked, &acquired);
            cache.remember(&self.asked, moment, &acquired, is_final);
        }
        let by = DecidedBy::Store;
        self.observe(limiter, &self.asked, &acquired, by);
        let slots = self.hold(limiter, &limiter.0.store, &self.asked, &acquired);
        Ok(Settled { asked: self.asked, acquired, by, slots })
    }

    /// Makes of what was asked and `acquired` the whole question and its answer. What is in hand is put back where the rest
    /// denies.
    fn join(&mut self, limiter: &Limiter, acquired: &mut Acquired) {
        match self.in_hand.take() {
            None => limiter.add_leased(&self.asked, acquired),
            Some(in_hand) => {
                let PartInHand { units, whole } = *in_hand;
                let (asked, joined) = units.join(&whole, &self.asked, acquired);
                if !acquired.is_allowed(self.asked.count) {
                    limiter.put_back(&units, &whole);
                }
                self.asked = asked;
                *acquired = joined;
            }
        }
    }

    fn without_store(
        mut self,
        limiter: &Limiter,
        cause: StoreErrorKind,
    ) -> Result<Settled, Unavailable> {
        let refuses = |charge: &Charge| charge.policy.on_store_failure() == OnStoreFailure::Deny;
        let Acquire { charges, count, .. } = &self.asked;
        let is_local = |it: &usize| charges[*it].policy.on_store_failure() == OnStoreFailure::Local;
        let local: Few<usize> = (0..charges.len()).filter(is_local).collect();
        let fallback = limiter.0.fallback.as_ref();
        let by = DecidedBy::Fallback;
        let (asked, mut acquired) = match fallback {
            _ if charges.iter().any(refuses) => return Err(self.undecided(limiter, cause)),
            _ if local.is_empty() => {
                (Acquire::new(Vec::new(), *count), Acquired::new(*count, Vec::new()))
            }
            None => return Err(self.undecided(limiter, cause)),
            Some(fallback) => fallback.decide(&self.asked.part(&local, *count), cause),
        };
        if cause.may_have_charged() {
            // Nobody knows where it counts, so it cannot be given back.
            acquired.decided_at.clear();
        }
        let slots = match fallback {
            Some(local) if limiter.0.in_flight.is_some() => {
                self.hold(limiter, &local.store(), &asked, &acquired)
            }
            _ => None,
        };
        self.asked = asked;
        self.join(limiter, &mut acquired);
        self.observe(limiter, &self.asked, &acquired, by);
        Ok(Settled { asked: self.asked, acquired, by, slots })
    }

    /// Holds the slots that `asked` took of `store`, if it took any and whoever asked learns when the request ends.
    fn hold(
        &self,
        limiter: &Limiter,
        store: &Arc<dyn Store>,
        asked: &Acquire,
        acquired: &Acquired,
    ) -> Option<Slots> {
        let in_flight = limiter.0.in_flight.as_ref().filter(|_| self.asked_by.holds_slots);
        in_flight?.hold(store, asked, acquired)
    }

    fn undecided(&self, limiter: &Limiter, cause: StoreErrorKind) -> Unavailable {
        let decided = Decided {
            by: DecidedBy::Fallback,
            outcome: Outcome::Undecided(cause),
            standings: &[],
            trials: &[],
            ban: None,
            waited: self.waited(),
        };
        let asked = self.in_hand.as_ref().map_or(&self.asked, |in_hand| &in_hand.whole);
        if let Some(in_hand) = &self.in_hand {
            limiter.put_back(&in_hand.units, &in_hand.whole);
        }
        limiter.observe(asked, &self.asked_by, &decided);
        Unavailable::new(cause)
    }

    /// Tells the observer what was `acquired` for `asked`.
    fn observe(&self, limiter: &Limiter, asked: &Acquire, acquired: &Acquired, by: DecidedBy) {
        let decided = Decided::of(asked, acquired, by, self.waited());
        limiter.observe(asked, &self.asked_by, &decided);
    }

    /// How long it has waited for the store.
    fn waited(&self) -> Option<Duration> {
        self.since.map(|since| since.elapsed())
    }
}

/// What is asked and answered when no policy is asked.
fn nothing_asked(count: u32) -> Settled {
    let (asked, acquired) = (Acquire::new(Vec::new(), count), Acquired::new(count, Vec::new()));
    Settled { asked, acquired, by: DecidedBy::Limiter, slots: None }
}
