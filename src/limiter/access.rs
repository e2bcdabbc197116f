//! Access lists: clients that are refused or pass unchecked, whatever any policy says.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::domain::client::Client;
use crate::domain::network::{Network, NetworkError, Networks};

/// What a limiter's access lists say about a client, before any policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// It is on no list: policies decide.
    Limited,
    /// It passes unchecked and uncounted.
    Allowed,
    /// It is refused.
    Blocked,
}

/// One or more clients on an access list: a [`Network`], an address, or a user.
///
/// `10.0.0.0/8`, `2001:db8::/32`, `203.0.113.7` or `user:1042`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntry(Entry);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Network(Network),
    User(Box<[u8]>),
}

#[cfg(feature = "server")]
impl AccessEntry {
    /// The network; `None` of a user.
    pub(crate) fn network(&self) -> Option<&Network> {
        match &self.0 {
            Entry::Network(network) => Some(network),
            Entry::User(_) => None,
        }
    }
}

/// An access list. It finds a client in logarithmic time among networks and in constant time among users.
#[derive(Debug)]
pub(super) struct AccessList {
    networks: Networks,
    users: HashSet<Box<[u8]>>,
}

impl AccessList {
    pub(super) fn new(entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        let (mut networks, mut users) = (Vec::new(), HashSet::new());
        for AccessEntry(entry) in entries {
            match entry {
                Entry::Network(network) => networks.push(network),
                Entry::User(id) => drop(users.insert(id)),
            }
        }
        Self { networks: networks.into_iter().collect(), users }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.users.is_empty()
    }

    /// Whether the user or the address of `client` is on the list.
    pub(super) fn has(&self, client: &Client<'_>) -> bool {
        client.user_id().is_some_and(|id| self.users.contains(id))
            || !self.networks.is_empty()
                && client.address().is_some_and(|address| self.networks.contain(address))
    }
}

impl FromStr for AccessEntry {
    type Err = AccessEntryError;

    fn from_str(text: &str) -> Result<Self, AccessEntryError> {
        match text.strip_prefix("user:") {
            Some("") => Err(AccessEntryError::NoUser),
            Some(id) => Ok(Self(Entry::User(id.as_bytes().into()))),
            None => match text.parse() {
                Ok(network) => Ok(Self(Entry::Network(network))),
                Err(NetworkError::NoAddress(text)) => Err(AccessEntryError::NoEntry(text)),
                Err(error) => Err(AccessEntryError::Network(error)),
            },
        }
    }
}

/// A text that is not an [`AccessEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessEntryError {
    /// It is neither a network nor a user.
    NoEntry(String),
    /// A user without an ID.
    NoUser,
    /// It begins like a network.
    Network(NetworkError),
}

impl fmt::Display for AccessEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoEntry(text) => write!(
                f,
                "{text:?} is neither a network nor a user: expected one as in 10.0.0.0/8, 2001:db8::/32, 203.0.113.7 or user:1042"
            ),
            Self::NoUser => f.write_str("\"user:\" names no user: expected one as in user:1042"),
            Self::Network(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for AccessEntryError {}

#[cfg(test)]
mod tests;
