//! The URL of the store, whose password is never printed.

use std::fmt;
use std::str::FromStr;

use crate::store::{RedisUrl, RedisUrlError};

/// The URL of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
    /// `memory:`, which is this process's memory.
    Memory,
    /// The URL of a Redis.
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
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        // The URL's own parser refuses blanks at its start.
        match scheme.trim_start().to_ascii_lowercase().as_str() {
            _ if text.is_empty() => Err(StoreUrlError::Empty),
            "memory" if text.len() == "memory:".len() => Ok(Self::Memory),
            "memory" if !rest.is_empty() => Err(StoreUrlError::MemoryWithMore),
            "redis" | "rediss" | "redis+unix" | "redis+sentinel" | "rediss+sentinel"
            | "redis+cluster" | "rediss+cluster"
                if text.contains(':') =>
            {
                text.parse().map(Self::Redis).map_err(StoreUrlError::BadRedis)
            }
            scheme if rest.starts_with("//") => Err(StoreUrlError::Scheme(like(scheme))),
            _ => Err(StoreUrlError::NoScheme),
        }
    }
}

/// The form of our URL for what other programs write with `scheme`.
fn like(scheme: &str) -> &'static str {
    match scheme {
        "unix" | "socket" | "redis+socket" | "redis-socket" | "valkey+unix" => SOCKET,
        "rediss+unix" | "rediss+socket" => "redis+unix:///path, as no TLS is spoken over a socket",
        "valkey" | "tcp" | "redis+tcp" => "redis://host:port/db",
        "valkeys" | "tls" | "ssl" | "redis+tls" | "redis+ssl" => "rediss://host:port/db",
        "sentinel" | "redis-sentinel" | "valkey+sentinel" => "redis+sentinel://host,host/name",
        "cluster" | "redis-cluster" | "valkey+cluster" => "redis+cluster://host,host",
        _ => ALL,
    }
}

const SOCKET: &str = "redis+unix:///path";
const ALL: &str = "memory:, redis://host:port/db, rediss://host:port/db, redis+unix:///path, \
                   redis+sentinel://host,host/name or redis+cluster://host,host";

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Redis(url) => write!(f, "{url}"),
        }
    }
}

/// A text is not the URL of a store. The error does not hold the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrlError {
    /// It is empty.
    Empty,
    /// It has no scheme.
    NoScheme,
    /// No store has its scheme. Holds the form that was probably meant.
    Scheme(&'static str),
    /// `memory:` with something after it.
    MemoryWithMore,
    /// It is a bad URL of a Redis.
    BadRedis(RedisUrlError),
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty: expected {ALL}"),
            Self::NoScheme => write!(f, "it does not begin with a scheme: expected {ALL}"),
            Self::Scheme(like) => write!(f, "no store has that scheme: expected {like}"),
            Self::MemoryWithMore => f.write_str("nothing may follow memory:"),
            Self::BadRedis(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StoreUrlError {}

#[cfg(test)]
mod tests;
