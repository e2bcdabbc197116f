use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::Limiter;
use super::observer::{AskedBy, Outcome};
use super::question::{self, Asking, Settled};
use super::receipt;
use super::unavailable::Unavailable;
use crate::domain::banned::Banned;
use crate::domain::decision::Decision;
use crate::store::{Acquire, Ban, MaybeReady, PenaltyKey};

/// A check, decided or under way: await it in a task, or [`wait`](Check::wait) for it in a thread.
#[derive(Debug)]
#[must_use = "a check that nobody awaits may be charged all the same"]
pub struct Check(MaybeReady<Deciding>);

/// A check that the store has not answered yet.
#[derive(Debug)]
pub(super) struct Deciding {
    asking: Asking,
    wants_receipt: bool,
}

impl Check {
    /// Asks the store, and decides if the answer is there at once.
    pub(super) fn start(limiter: &Limiter, asked: Acquire, asked_by: AskedBy) -> Self {
        let wants_receipt = asked_by.wants_receipt;
        if asked.count > 0 && asked.charges.is_empty() && asked.trials.is_empty() {
            limiter.observe_uncounted(&asked_by, Outcome::Unlimited);
        }
        Self(match question::ask(limiter, asked, asked_by) {
            Ok(settled) => MaybeReady::ready(settled.map(|it| it.into_decision(wants_receipt))),
            Err(asking) => MaybeReady::Pending(Deciding { asking, wants_receipt }),
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
        self.asking.wait().map(|settled| settled.into_decision(self.wants_receipt))
    }
}

impl Future for Deciding {
    type Output = Result<Decision, Unavailable>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let settled = ready!(Pin::new(&mut self.asking).poll(context));
        Poll::Ready(settled.map(|settled| settled.into_decision(self.wants_receipt)))
    }
}

impl Settled {
    fn into_decision(self, wants_receipt: bool) -> Decision {
        let Self { asked, acquired, by, slots } = self;
        let allowed = acquired.is_allowed(asked.count);
        let banned = acquired.ban.and_then(|ban| banned(&asked, ban));
        let receipt = wants_receipt.then(|| receipt::of(&asked, &acquired, by)).flatten();
        let policies = asked.charges.into_iter().map(|charge| charge.policy).collect();
        let decision = Decision::new(allowed, policies, acquired.standings)
            .with_receipt(receipt)
            .with_slots(slots);
        match banned {
            Some(banned) => decision.with_ban(banned),
            None => decision,
        }
    }
}

/// The `ban` that was answered to `asked`.
#[cold]
pub(super) fn banned(asked: &Acquire, ban: Ban) -> Option<Banned> {
    let PenaltyKey { charges, key, .. } = asked.penalties.get(ban.penalty)?;
    let policy = &asked.charges.get(charges.start)?.policy;
    let lasts = Duration::from_millis(ban.lasts);
    Some(Banned::new(key.hash_tag(), lasts).with_policy(policy.name()))
}
