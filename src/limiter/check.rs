use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Limiter;
use super::deny_cache::DenyCache;
use crate::clock::Millis;
use crate::decision::{Decision, Retry};
use crate::policy::OnStoreFailure;
use crate::store::{Acquire, Acquired, Answer, StoreError, StoreErrorKind};

/// A check under way: await it in a task, or [`wait`](Check::wait) for it in a thread.
#[derive(Debug)]
#[must_use = "a check that nobody awaits may be charged all the same"]
pub struct Check {
    question: Question,
    answer: Answer<Acquired>,
}

/// What is needed to make a decision of the store's answer, or without one.
#[derive(Debug)]
struct Question {
    limiter: Limiter,
    asked: Acquire,
    /// Whether the store was asked: not where a denial was known.
    of_store: bool,
    /// When it was, where denials are remembered.
    asked_at: Option<Millis>,
}

impl Check {
    pub(super) fn start(limiter: Limiter, asked: Acquire) -> Self {
        let cache = limiter.0.deny_cache.as_ref();
        let now = cache.map(DenyCache::now);
        let known = if asked.charges.is_empty() {
            Some(Acquired { admitted: asked.count, standings: Vec::new() })
        } else {
            cache.zip(now).and_then(|(cache, now)| cache.denial(&asked, now))
        };
        let of_store = known.is_none();
        let (asked_at, answer) = match known {
            Some(known) => (None, Answer::ready(Ok(known))),
            None => (now, limiter.0.store.acquire(asked.clone())),
        };
        Self { question: Question { limiter, asked, of_store, asked_at }, answer }
    }

    /// Blocks this thread until it is decided.
    ///
    /// # Errors
    /// When the store fails, and a policy then refuses.
    pub fn wait(self) -> Result<Decision, Unavailable> {
        self.question.settle(self.answer.wait())
    }
}

impl Question {
    /// What the store's answer means; without one, what each policy says then.
    fn settle(&self, answer: Result<Acquired, StoreError>) -> Result<Decision, Unavailable> {
        match answer {
            Ok(acquired) => {
                if let Some((cache, at)) = self.limiter.0.deny_cache.as_ref().zip(self.asked_at) {
                    cache.remember(&self.asked, at, &acquired);
                }
                if let Some(fallback) = self.limiter.0.fallback.as_ref().filter(|_| self.of_store) {
                    fallback.learn(&self.asked.charges, &acquired);
                }
                Ok(decision(&self.asked, acquired))
            }
            Err(error) => self.without_store(error.kind()),
        }
    }

    fn without_store(&self, cause: StoreErrorKind) -> Result<Decision, Unavailable> {
        let mut charges = Vec::with_capacity(self.asked.charges.len());
        for charge in &self.asked.charges {
            match charge.policy.on_store_failure() {
                OnStoreFailure::Allow => {}
                OnStoreFailure::Deny => return Err(Unavailable { cause }),
                OnStoreFailure::Local => charges.push(charge.clone()),
            }
        }
        let asked = Acquire { charges, ..self.asked };
        if asked.charges.is_empty() {
            let admitted = asked.count;
            return Ok(decision(&asked, Acquired { admitted, standings: Vec::new() }));
        }
        let fallback = self.limiter.0.fallback.as_ref().ok_or(Unavailable { cause })?;
        match fallback.decide(&asked, cause) {
            Ok((shared, acquired)) => Ok(decision(&shared, acquired)),
            Err(error) => Err(Unavailable { cause: error.kind() }),
        }
    }
}

fn decision(asked: &Acquire, acquired: Acquired) -> Decision {
    let allowed = match asked.count {
        0 => acquired.standings.iter().all(|standing| standing.retry == Retry::Now),
        count => acquired.admitted == count,
    };
    let policies = asked.charges.iter().map(|charge| charge.policy.clone());
    Decision::new(allowed, policies.zip(acquired.standings).collect())
}

impl Future for Check {
    type Output = Result<Decision, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(context));
        Poll::Ready(self.question.settle(answer))
    }
}

/// That a request was not decided: the store failed, and a policy refuses then. Not a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable {
    cause: StoreErrorKind,
}

impl Unavailable {
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
