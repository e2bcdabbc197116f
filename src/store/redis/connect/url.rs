//! The URL of a Redis. Its passwords never print.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, RedisConnectionInfo};

pub use self::mistake::RedisUrlError;
use self::topology::{HostList, Topology, is_tls};

mod mistake;
mod parse;
pub(crate) mod topology;

/// The URL of a Redis: of one server, of the sentinels that know which server is the primary, or of
/// some nodes of a cluster. It prints `***` in place of its credentials.
#[derive(Clone)]
pub struct RedisUrl {
    text: Box<str>,
    redacted: Box<str>,
    topology: Box<Topology>,
}

impl RedisUrl {
    /// The URL as it was written, with its password. Use it to connect, never in a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether connections use TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let first = match &*self.topology {
            Topology::Server(info) => Some(info),
            Topology::Sentinel { sentinels: nodes, .. } | Topology::Cluster { nodes } => {
                nodes.first()
            }
        };
        first.is_some_and(is_tls)
    }

    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }
}

impl Default for RedisUrl {
    /// `redis://127.0.0.1:6379/0`, a server on this machine.
    fn default() -> Self {
        "redis://127.0.0.1:6379/0".parse().expect("the form of a server's URL")
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let (scheme, topology) = parse::parse(text)?;
        let topology = Box::new(topology);
        let redacted = redacted(&scheme, &topology).into();
        Ok(Self { text: text.into(), redacted, topology })
    }
}

/// The URL without credentials. It is built from the parts that may be shown, so that no way of
/// writing a password gets past it.
fn redacted(scheme: &str, topology: &Topology) -> String {
    match topology {
        Topology::Server(info) => {
            let db = info.redis_settings().db();
            let is_secret = has_credentials(info.redis_settings());
            if let ConnectionAddr::Unix(path) = info.addr() {
                let credentials = if is_secret { "&pass=***" } else { "" };
                return format!("redis+unix://{}?db={db}{credentials}", path.display());
            }
            format!("{scheme}://{}{}/{db}", stars(is_secret), HostList(std::slice::from_ref(info)))
        }
        Topology::Sentinel { sentinels, name, primary } => {
            let is_secret = sentinels.iter().any(|it| has_credentials(it.redis_settings()));
            let own = if is_secret { "?sentinel_pass=***" } else { "" };
            let (stars, db) = (stars(has_credentials(primary)), primary.db());
            format!("{scheme}://{stars}{}/{name}/{db}{own}", HostList(sentinels))
        }
        Topology::Cluster { nodes } => {
            let is_secret = nodes.iter().any(|it| has_credentials(it.redis_settings()));
            format!("{scheme}://{}{}", stars(is_secret), HostList(nodes))
        }
    }
}

fn has_credentials(settings: &RedisConnectionInfo) -> bool {
    settings.username().is_some() || settings.password().is_some()
}

fn stars(is_secret: bool) -> &'static str {
    if is_secret { "***@" } else { "" }
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisUrl {}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisUrl").field(&self.redacted).finish()
    }
}

#[cfg(test)]
mod tests;
