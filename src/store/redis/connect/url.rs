//! Where a Redis is: a [`RedisUrl`], whose passwords never print.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, ConnectionInfo, RedisConnectionInfo};

pub use self::mistake::RedisUrlError;

mod mistake;
mod parse;

/// The URL of a Redis: of one server, of the sentinels that know which server is the primary, or of
/// some nodes of a cluster. Printed, it has `***` for its credentials.
#[derive(Clone)]
pub struct RedisUrl {
    text: Box<str>,
    redacted: Box<str>,
    topology: Box<Topology>,
}

/// What stands at a URL.
#[derive(Clone, Debug)]
pub(crate) enum Topology {
    Server(ConnectionInfo),
    /// With the settings of connections to the primary called `name`.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        name: String,
        primary: RedisConnectionInfo,
    },
    /// With some of the nodes, which know the others.
    Cluster {
        nodes: Vec<ConnectionInfo>,
    },
}

impl RedisUrl {
    /// The URL as it was written, password and all: for the connection, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Whether connections are made with TLS.
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
    /// The server on this machine.
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

pub(crate) fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

/// Made of the parts that are shown, so that no way of writing a password gets past it.
fn redacted(scheme: &str, topology: &Topology) -> String {
    match topology {
        Topology::Server(info) => {
            let db = info.redis_settings().db();
            let is_secret = has_credentials(info.redis_settings());
            if let ConnectionAddr::Unix(path) = info.addr() {
                let credentials = if is_secret { "&pass=***" } else { "" };
                return format!("redis+unix://{}?db={db}{credentials}", path.display());
            }
            format!("{scheme}://{}{}/{db}", stars(is_secret), Places(std::slice::from_ref(info)))
        }
        Topology::Sentinel { sentinels, name, primary } => {
            let is_secret = sentinels.iter().any(|it| has_credentials(it.redis_settings()));
            let own = if is_secret { "?sentinel_pass=***" } else { "" };
            let (stars, db) = (stars(has_credentials(primary)), primary.db());
            format!("{scheme}://{stars}{}/{name}/{db}{own}", Places(sentinels))
        }
        Topology::Cluster { nodes } => {
            let is_secret = nodes.iter().any(|it| has_credentials(it.redis_settings()));
            format!("{scheme}://{}{}", stars(is_secret), Places(nodes))
        }
    }
}

fn has_credentials(settings: &RedisConnectionInfo) -> bool {
    settings.username().is_some() || settings.password().is_some()
}

fn stars(is_secret: bool) -> &'static str {
    if is_secret { "***@" } else { "" }
}

/// Hosts and ports, with commas between.
pub(crate) struct Places<'a>(pub(crate) &'a [ConnectionInfo]);

impl fmt::Display for Places<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, info) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            match info.addr() {
                ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }
                    if host.contains(':') =>
                {
                    write!(f, "{comma}[{host}]:{port}")?;
                }
                address => write!(f, "{comma}{address}")?,
            }
        }
        Ok(())
    }
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
