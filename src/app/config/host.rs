//! The name of a host, as in a request's `Host` field.

use std::fmt;
use std::str::FromStr;

use super::listen::is_name;

/// A host's name, in lower case because names of hosts are case-insensitive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostName(Box<str>);

impl HostName {
    /// The name.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = HostNameError;

    fn from_str(text: &str) -> Result<Self, HostNameError> {
        match is_name(text) {
            true => Ok(Self(text.to_ascii_lowercase().into())),
            false => Err(HostNameError(text.to_owned())),
        }
    }
}

/// A text that is not the name of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostNameError(String);

impl fmt::Display for HostNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a host name: expected one without port, as in tollgate.internal",
            self.0
        )
    }
}

impl std::error::Error for HostNameError {}
