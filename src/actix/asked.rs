//! What is asked about a request, and what becomes of it.

use std::task::{Context, Poll, ready};

use crate::domain::decision::Decision;
use crate::limiter::Check;

/// What is asked of the limiter about one request.
pub(crate) enum Asked {
    /// Nothing: its client is refused.
    Blocked,
    Checks {
        check: Option<Check>,
        peek: Option<Check>,
    },
}

/// What becomes of a request.
pub(crate) enum Verdict {
    /// Its client is told what is decided, if anything is.
    Passes(Option<Decision>),
    Blocked,
    Denied(Decision),
    Undecided,
}

impl Default for Asked {
    /// Nothing: the request passes, and its client is told nothing.
    fn default() -> Self {
        Self::Checks { check: None, peek: None }
    }
}

impl Asked {
    /// Whether the limiter took no time: then [`verdict`](Self::verdict) does not block.
    pub(crate) fn is_decided(&self) -> bool {
        let is_decided = |check: &Option<Check>| check.as_ref().is_none_or(Check::is_decided);
        match self {
            Self::Blocked => true,
            Self::Checks { check, peek } => is_decided(check) && is_decided(peek),
        }
    }

    /// Has a task wait for the limiter: then [`verdict`](Self::verdict) does not block.
    pub(crate) fn poll_decided(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Self::Checks { check, peek } = self {
            for check in check.iter_mut().chain(peek) {
                ready!(check.poll_decided(context));
            }
        }
        Poll::Ready(())
    }

    /// The verdict, for which this thread waits.
    pub(crate) fn verdict(self) -> Verdict {
        let Self::Checks { check, peek } = self else { return Verdict::Blocked };
        let checked = match check.map(Check::wait) {
            Some(Ok(decision)) if decision.is_allowed() => Some(decision),
            Some(Ok(denied)) => return Verdict::Denied(denied),
            Some(Err(_)) => return Verdict::Undecided,
            None => None,
        };
        // A standing that cannot be had is not worth a refusal.
        let peeked = peek.and_then(|peek| peek.wait().ok()).map(Decision::into_report);
        Verdict::Passes(checked.into_iter().chain(peeked).reduce(Decision::and))
    }
}
