//! Why an access log cannot be read: an [`AccessLogError`].

use std::fmt;

/// Why an access log cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessLogError {
    file: String,
    problem: String,
}

impl AccessLogError {
    pub(super) fn new(file: &str, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for AccessLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = if self.file == "-" { "the standard input" } else { &self.file };
        write!(f, "{file} {}", self.problem)
    }
}

impl std::error::Error for AccessLogError {}
