//! What is asked about a request, and what becomes of it.

use std::task::{Context, Poll, ready};

use crate::decision::Decision;
use crate::limiter::{Check, Unavailable};

/// What is asked of the limiter about one request.
pub(super) enum Asked {
    /// Nothing: its client is refused.
    Blocked,
    Checks {
        check: Option<Check>,
        peek: Option<Check>,
    },
}

/// What becomes of a request.
pub(super) enum Verdict {
    Passes(Told),
    Blocked,
    Denied(Decision),
    Undecided,
}

/// What the client of a request that passes is told.
#[derive(Debug, Default)]
pub(super) struct Told {
    checked: Option<Decision>,
    peeked: Option<Decision>,
}

impl Default for Asked {
    /// Nothing: the request passes, and its client is told nothing.
    fn default() -> Self {
        Self::Checks { check: None, peek: None }
    }
}

impl Asked {
    /// Whether the limiter took no time: then [`verdict`](Self::verdict) does not block.
    pub(super) fn is_decided(&self) -> bool {
        let is_decided = |check: &Option<Check>| check.as_ref().is_none_or(Check::is_decided);
        match self {
            Self::Blocked => true,
            Self::Checks { check, peek } => is_decided(check) && is_decided(peek),
        }
    }

    /// Has a task wait for the limiter: then [`verdict`](Self::verdict) does not block.
    pub(super) fn poll_decided(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Self::Checks { check, peek } = self {
            for check in check.iter_mut().chain(peek) {
                ready!(check.poll_decided(context));
            }
        }
        Poll::Ready(())
    }

    /// The verdict, for which this thread waits.
    pub(super) fn verdict(self) -> Verdict {
        let Self::Checks { check, peek } = self else { return Verdict::Blocked };
        let mut verdict = Verdict::of(check.map(Check::wait));
        if let (Verdict::Passes(told), Some(peek)) = (&mut verdict, peek) {
            // A standing that cannot be had is not worth a refusal.
            told.peeked = peek.wait().ok();
        }
        verdict
    }
}

impl Verdict {
    fn of(checked: Option<Result<Decision, Unavailable>>) -> Self {
        match checked {
            None => Self::Passes(Told::default()),
            Some(Ok(decision)) if decision.is_allowed() => {
                Self::Passes(Told { checked: Some(decision), peeked: None })
            }
            Some(Ok(denied)) => Self::Denied(denied),
            Some(Err(_)) => Self::Undecided,
        }
    }
}

impl Told {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Decision> {
        self.checked.iter().chain(&self.peeked)
    }
}
