//! Why a client is refused for a while: it is [`Banned`].

use std::sync::Arc;
use std::time::Duration;

/// A ban that refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banned {
    key: Arc<str>,
    ends_after: Duration,
    policy: Option<Box<str>>,
}

impl Banned {
    /// A ban of the client of `key` by an operator, which ends after `ends_after`. The key is the client's identity,
    /// as it stands between the braces of its keys.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, ends_after: Duration) -> Self {
        Self { key: key.into(), ends_after, policy: None }
    }

    /// The same ban, by the penalty of the policy of this name.
    #[must_use]
    pub fn with_policy(self, policy: &str) -> Self {
        Self { policy: Some(policy.into()), ..self }
    }

    /// The identity that is banned. It is for operators, not for the client.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How long the ban still lasts.
    #[must_use]
    pub fn ends_after(&self) -> Duration {
        self.ends_after
    }

    /// The policy whose penalty it is; `None` if an operator banned the client.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }
}
