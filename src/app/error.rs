//! Why the app failed.

use std::error::Error;
use std::fmt;

/// What the app could not do, with the cause as its source.
#[derive(Debug)]
pub(crate) struct AppError {
    failed: String,
    source: Box<dyn Error + Send + Sync>,
}

impl AppError {
    pub(crate) fn new(
        failed: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { failed: failed.into(), source: source.into() }
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failed)
    }
}

impl Error for AppError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
