use std::fmt;

/// Why a store did not answer. This is never a denial.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or is known to be down. It was not asked.
    Unreachable,
    /// The connection was lost while it was asked.
    Lost,
    /// It did not answer in time.
    TimedOut,
    /// It answered with an error, or with something that is not a valid answer.
    Refused,
    /// It answered with an error which shows that it has charged nothing.
    Declined,
    /// Too many requests wait for it, or they wait for too long. It was not asked.
    Overloaded,
    /// It was shut down.
    Closed,
}

impl StoreErrorKind {
    /// Whether the charge may have been made in spite of the error.
    #[must_use]
    pub fn may_have_charged(self) -> bool {
        match self {
            Self::Lost | Self::TimedOut | Self::Refused | Self::Closed => true,
            Self::Unreachable | Self::Declined | Self::Overloaded => false,
        }
    }
}

impl StoreError {
    /// An error of `kind` without a further cause.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of `kind`, caused by `source`.
    #[must_use]
    pub fn caused_by(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// The same error, as one of another kind.
    #[cfg(feature = "redis")]
    pub(super) fn into_kind(self, kind: StoreErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unreachable => "the store cannot be reached",
            StoreErrorKind::Lost => "the connection to the store was lost",
            StoreErrorKind::TimedOut => "the store did not answer in time",
            StoreErrorKind::Refused => "the store refused the request",
            StoreErrorKind::Declined => "the store does not count at present",
            StoreErrorKind::Overloaded => "too many requests wait for the store",
            StoreErrorKind::Closed => "the store was shut down",
        })
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
