//! What a client has used of a quota, as fields of an answer.

use serde::Serialize;

use crate::domain::policy::Policy;
use crate::domain::quota::Quota;
use crate::domain::standing::{Retry, Standing};

/// The time zone whose calendar ends the windows of `quota`, if one does.
pub(super) fn timezone(quota: Quota) -> Option<&'static str> {
    quota.window().calendar().map(|calendar| calendar.zone().name())
}

/// What a client has used of a quota; nothing where that is not known.
#[derive(Serialize)]
pub(super) struct Usage {
    /// The time zone whose calendar ends the window; nothing where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<&'static str>,
    pub(super) used: Option<u64>,
    remaining: Option<u64>,
    reset_after_ms: Option<u64>,
    /// How long the next request has to wait; nothing if it need not wait.
    retry_after_ms: Option<u64>,
}

impl Usage {
    /// Where a client with this `standing` under `policy` is.
    pub(super) fn of(policy: &Policy, standing: Option<&Standing>) -> Self {
        let burst = policy.terms().burst;
        Self {
            timezone: timezone(policy.quota()),
            used: standing.map(|it| burst.saturating_sub(it.remaining)),
            remaining: standing.map(|it| it.remaining),
            reset_after_ms: standing.map(|it| it.reset_after),
            retry_after_ms: standing.and_then(|it| match it.retry {
                Retry::After(wait) => Some(wait),
                Retry::Now | Retry::WhenFreed | Retry::Never => None,
            }),
        }
    }
}
