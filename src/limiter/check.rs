use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::Limiter;
use super::deny_cache::Moment;
use super::observe::Decided;
use super::observer::{AskedBy, DecidedBy, Outcome};
use crate::domain::banned::Banned;
use crate::domain::decision::Decision;
use crate::domain::policy::OnStoreFailure;
use crate::store::{
    Acquire, Acquired, Awaited, Ban, Charge, Few, MaybeReady, PenaltyKey, StoreError,
    StoreErrorKind,
};

/// A check, decided or under way: await it in a task, or [`wait`](Check::wait) for it in a thread.
#[derive(Debug)]
#[must_use = "a check that nobody awaits may be charged all the same"]
pub struct Check(MaybeReady<Deciding>);

/// A check that the store has not answered yet.
#[derive(Debug)]
pub(super) struct Deciding {
    limiter: Limiter,
    question: Option<Question>,
    answer: Awaited<Acquired>,
}

/// A question to the store.
#[derive(Debug)]
struct Question {
    asked: Acquire,
    asked_by: AskedBy,
    /// When and for what the store was asked, if answers are cached.
    moment: Option<Moment>,
    /// Since when it waits for the store, if somebody wants to know.
    since: Option<Instant>,
}

impl Check {
    /// Asks the store, and decides if the answer is there at once.
    pub(super) fn start(limiter: &Limiter, asked: Acquire, asked_by: AskedBy) -> Self {
        if asked.charges.is_empty() && asked.trials.is_empty() {
            return Self(MaybeReady::ready(Ok(unlimited(&asked))));
        }
        let cache = limiter.0.deny_cache.as_ref();
        let moment = match cache.map(|cache| cache.answer(&asked, asked_by.purpose)) {
            Some(Ok(known)) => {
                let decided = Decided::of(&asked, &known, DecidedBy::DenyCache, None);
                limiter.observe(&asked, &asked_by, &decided);
                return Self(MaybeReady::ready(Ok(decision(asked, known))));
            }
            Some(Err(moment)) => Some(moment),
            None => None,
        };
        let answer = limiter.0.store.acquire(&asked);
        let question = Question { asked, asked_by, moment, since: None };
        Self(match answer.now() {
            Ok(answer) => MaybeReady::ready(question.settle(limiter, answer)),
            Err(answer) => MaybeReady::Pending(Deciding {
                limiter: limiter.clone(),
                question: Some(Question {
                    since: limiter.0.observer.is_some().then(Instant::now),
                    ..question
                }),
                answer,
            }),
        })
    }

    /// The decision.
    ///
    /// # Errors
    /// With the future to await, if it is not decided yet.
    #[expect(
        clippy::result_large_err,
        reason = "the future is moved once, and a box would cost each request more"
    )]
    pub(super) fn now(self) -> Result<Result<Decision, Unavailable>, Deciding> {
        self.0.now()
    }

    /// Blocks this thread until it is decided.
    ///
    /// # Errors
    /// When the store fails, and a policy then refuses.
    pub fn wait(self) -> Result<Decision, Unavailable> {
        self.now().unwrap_or_else(Deciding::wait)
    }
}

impl Future for Check {
    type Output = Result<Decision, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl From<Deciding> for Check {
    fn from(deciding: Deciding) -> Self {
        Self(MaybeReady::Pending(deciding))
    }
}

impl Deciding {
    fn wait(self) -> Result<Decision, Unavailable> {
        settle(self.question, &self.limiter, self.answer.wait())
    }
}

impl Future for Deciding {
    type Output = Result<Decision, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(context));
        let question = self.question.take();
        Poll::Ready(settle(question, &self.limiter, answer))
    }
}

/// The decision on `question`, which is asked once.
fn settle(
    question: Option<Question>,
    limiter: &Limiter,
    answer: Result<Acquired, StoreError>,
) -> Result<Decision, Unavailable> {
    let closed = Err(Unavailable { cause: StoreErrorKind::Closed });
    question.map_or(closed, |question| question.settle(limiter, answer))
}

impl Question {
    /// The decision by the store's answer. If the store failed, each policy says what holds.
    fn settle(
        mut self,
        limiter: &Limiter,
        answer: Result<Acquired, StoreError>,
    ) -> Result<Decision, Unavailable> {
        let cache = limiter.0.deny_cache.as_ref().zip(self.moment.as_mut());
        if let Some((cache, moment)) = cache {
            // Also if the store failed: either it has charged, or this process charges instead.
            cache.charged(&self.asked, moment);
        }
        let acquired = match answer {
            Ok(acquired) => acquired,
            Err(error) => return self.without_store(limiter, error.kind()),
        };
        if let Some((cache, moment)) = limiter.0.deny_cache.as_ref().zip(self.moment) {
            let is_final = || limiter.is_final(&self.asked, &acquired);
            cache.remember(&self.asked, moment, &acquired, is_final);
        }
        if let Some(fallback) = &limiter.0.fallback {
            fallback.learn(&self.asked, &acquired);
        }
        self.observe(limiter, &self.asked, &acquired, DecidedBy::Store);
        Ok(decision(self.asked, acquired))
    }

    fn without_store(
        self,
        limiter: &Limiter,
        cause: StoreErrorKind,
    ) -> Result<Decision, Unavailable> {
        let refuses = |charge: &Charge| charge.policy.on_store_failure() == OnStoreFailure::Deny;
        let Acquire { charges, count, .. } = &self.asked;
        let is_local = |it: &usize| charges[*it].policy.on_store_failure() == OnStoreFailure::Local;
        let local: Few<usize> = (0..charges.len()).filter(is_local).collect();
        let fallback = limiter.0.fallback.as_ref();
        let (asked, acquired) = match fallback {
            _ if charges.iter().any(refuses) => return Err(self.undecided(limiter, cause)),
            _ if local.is_empty() => nothing_asked(*count),
            None => return Err(self.undecided(limiter, cause)),
            Some(fallback) => fallback.decide(&self.asked.part(&local, *count), cause),
        };
        self.observe(limiter, &asked, &acquired, DecidedBy::Fallback);
        Ok(decision(asked, acquired))
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
        limiter.observe(&self.asked, &self.asked_by, &decided);
        Unavailable { cause }
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

/// The decision when no policy is asked.
fn unlimited(asked: &Acquire) -> Decision {
    let (asked, all) = nothing_asked(asked.count);
    decision(asked, all)
}

/// What is asked and answered when no policy is asked.
fn nothing_asked(count: u32) -> (Acquire, Acquired) {
    (Acquire::new(Vec::new(), count), Acquired::new(count, Vec::new()))
}

fn decision(asked: Acquire, acquired: Acquired) -> Decision {
    let allowed = acquired.is_allowed(asked.count);
    let banned = acquired.ban.and_then(|ban| banned(&asked, ban));
    let policies = asked.charges.into_iter().map(|charge| charge.policy).collect();
    let decision = Decision::new(allowed, policies, acquired.standings);
    match banned {
        Some(banned) => decision.with_ban(banned),
        None => decision,
    }
}

/// The `ban` that was answered to `asked`.
#[cold]
pub(super) fn banned(asked: &Acquire, ban: Ban) -> Option<Banned> {
    let PenaltyKey { charge, key, .. } = asked.penalties.get(ban.penalty)?;
    let policy = &asked.charges.get(*charge)?.policy;
    let lasts = Duration::from_millis(ban.lasts);
    Some(Banned::new(key.hash_tag(), lasts).with_policy(policy.name()))
}

/// The error of a request that was not decided: the store failed, and a policy then refuses. It is not a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    cause: StoreErrorKind,
}

impl Unavailable {
    /// The error after a failure of the store by `cause`.
    #[must_use]
    pub fn new(cause: StoreErrorKind) -> Self {
        Self { cause }
    }

    /// How the store failed.
    #[must_use]
    pub fn cause(self) -> StoreErrorKind {
        self.cause
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request was not decided: {}", StoreError::new(self.cause))
    }
}

impl std::error::Error for Unavailable {}
