use std::fmt;

use crate::store::{StoreError, StoreErrorKind};

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
