use std::fmt;

/// A text that names no [`Algorithm`](super::Algorithm).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownAlgorithm(String);

impl UnknownAlgorithm {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for UnknownAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not an algorithm: expected fixed-window, sliding-window, sliding-log or token-bucket",
            self.0
        )
    }
}

impl std::error::Error for UnknownAlgorithm {}
