//! Where the store is: a [`StoreUrl`], whose password never prints.

use std::fmt;
use std::str::FromStr;

use crate::store::{RedisUrl, RedisUrlError};

/// Where state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrl {
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
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        // Blanks before it are refused with all others.
        match scheme.trim_start().to_ascii_lowercase().as_str() {
            _ if text.is_empty() => Err(StoreUrlError::Empty),
            "memory" if text.len() == "memory:".len() => Ok(Self::Memory),
            "memory" if !rest.is_empty() => Err(StoreUrlError::MemoryHasNoPlace),
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

/// How a URL of ours is written that means what others write with `scheme`.
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

/// A text that is not the URL of a store. It does not carry the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreUrlError {
    /// It is empty.
    Empty,
    /// It has no scheme.
    NoScheme,
    /// It has a scheme that no store has; with what may be meant.
    Scheme(&'static str),
    /// `memory:` with something after it.
    MemoryHasNoPlace,
    /// The URL of a Redis that does not have its form.
    BadRedis(RedisUrlError),
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "it is empty: expected {ALL}"),
            Self::NoScheme => write!(f, "it does not begin with a scheme: expected {ALL}"),
            Self::Scheme(like) => write!(f, "no store has that scheme: expected {like}"),
            Self::MemoryHasNoPlace => f.write_str("nothing may follow memory:, which has no place"),
            Self::BadRedis(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for StoreUrlError {}

#[cfg(test)]
mod tests;
