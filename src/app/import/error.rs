//! Why a configuration cannot be imported.

use std::error::Error;
use std::{fmt, io};

/// Why a configuration cannot be imported.
#[derive(Debug)]
pub(crate) struct ImportError {
    file: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// It cannot be read.
    Io(io::Error),
    /// It is no YAML, or has other keys or values than the service's own configuration. Says which, and where.
    Yaml(String),
    /// The service itself would refuse it.
    Invalid(String),
}

impl ImportError {
    pub(crate) fn io(file: &str, error: io::Error) -> Self {
        Self { file: file.to_owned(), kind: Kind::Io(error) }
    }

    pub(super) fn yaml(file: &str, error: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), kind: Kind::Yaml(error.to_string()) }
    }

    pub(super) fn invalid(file: &str, why: impl fmt::Display) -> Self {
        Self { file: file.to_owned(), kind: Kind::Invalid(why.to_string()) }
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, kind } = self;
        match kind {
            Kind::Io(error) => write!(f, "{file} cannot be read: {error}"),
            Kind::Yaml(why) => write!(f, "{file} is no configuration of the service: {why}"),
            Kind::Invalid(why) => write!(f, "{file}: {why}"),
        }
    }
}

impl Error for ImportError {}
