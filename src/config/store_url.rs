//! Where the store is: a [`StoreUrl`], whose password never prints.

use std::fmt;
use std::str::FromStr;

use crate::store::{RedisUrl, RedisUrlError};

/// Where state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// In this process: `memory:`.
    Memory,
    /// In the Redis at this URL.
    Redis(RedisUrl),
}

impl Default for StoreUrl {
    /// The Redis server on this machine.
    fn default() -> Self {
        Self::Redis(RedisUrl::default())
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let (scheme, _) = text.split_once(':').ok_or(StoreUrlError::NotAUrl)?;
        match scheme.to_ascii_lowercase().as_str() {
            "memory" if text.len() == "memory:".len() => Ok(Self::Memory),
            "memory" => Err(StoreUrlError::MemoryHasNoPlace),
            "redis" | "rediss" | "redis+unix" | "redis+sentinel" | "rediss+sentinel"
            | "redis+cluster" | "rediss+cluster" => {
                text.parse().map(Self::Redis).map_err(StoreUrlError::BadRedis)
            }
            _ => Err(StoreUrlError::NotAUrl),
        }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Redis(url) => write!(f, "{url}"),
        }
    }
}

/// A text that is not the URL of a store. It does not carry the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrlError {
    /// It has no scheme, or one that no store has.
    NotAUrl,
    /// `memory:` with something after it.
    MemoryHasNoPlace,
    /// The URL of a Redis that does not have its form.
    BadRedis(RedisUrlError),
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAUrl => f.write_str(
                "not the URL of a store: expected memory:, redis://host:port/db, \
                 rediss://host:port/db, redis+unix:///path, redis+sentinel://host,host/name or \
                 redis+cluster://host,host",
            ),
            Self::MemoryHasNoPlace => f.write_str("nothing may follow memory:"),
            Self::BadRedis(problem) => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for StoreUrlError {}
