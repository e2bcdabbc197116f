use std::sync::Arc;
use std::time::Duration;

/// A ban that refuses a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banned {
    key: Arc<str>,
    ends_after: Duration,
}

impl Banned {
    /// A ban of the client of `key`, which ends after `ends_after`. The key is the client's identity, as it
    /// stands between the braces of its keys.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, ends_after: Duration) -> Self {
        Self { key: key.into(), ends_after }
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
}
