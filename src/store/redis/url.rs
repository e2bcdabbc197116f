//! Where a Redis is: a [`RedisUrl`], whose passwords never print.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

const SERVER: &str = "redis://user:password@host:port/db";
const SERVER_TLS: &str = "rediss://user:password@host:port/db";
const SOCKET: &str = "redis+unix:///path?db=0&user=name&pass=password";
const SENTINEL: &str = "redis+sentinel://user:password@host:port,host:port/name/db\
                        ?sentinel_user=name&sentinel_pass=password";
const CLUSTER: &str = "redis+cluster://user:password@host:port,host:port";

/// The port of a sentinel whose URL says none.
const SENTINEL_PORT: u16 = 26_379;

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
pub(super) enum Topology {
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

    pub(super) fn topology(&self) -> &Topology {
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
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let rest = rest.strip_prefix("//").unwrap_or_default();
        let scheme = scheme.to_ascii_lowercase();
        let (form, topology) = match scheme.as_str() {
            "redis+unix" => (SOCKET, server(text, &["db", "user", "pass", "protocol"])),
            "rediss" => (SERVER_TLS, server(text, &["protocol"])),
            "redis+sentinel" | "rediss+sentinel" => (SENTINEL, sentinel(&scheme, rest)),
            "redis+cluster" | "rediss+cluster" => (CLUSTER, cluster(&scheme, rest)),
            _ => (SERVER, server(text, &["protocol"])),
        };
        if scheme.starts_with("rediss") && !cfg!(feature = "tls") {
            return Err(RedisUrlError { form: "a URL without TLS: this is built without it" });
        }
        let topology = Box::new(topology.ok_or(RedisUrlError { form })?);
        let redacted = redacted(&scheme, &topology).into();
        Ok(Self { text: text.into(), redacted, topology })
    }
}

/// One server, whose URL has no other `options`.
fn server(text: &str, options: &[&str]) -> Option<Topology> {
    Some(Topology::Server(one(text, options)?.0))
}

/// What redis-rs takes of a server's URL, and whether that names a port.
fn one(text: &str, options: &[&str]) -> Option<(ConnectionInfo, bool)> {
    let mut url = redis::parse_redis_url(text)?;
    // redis-rs reads past both, and a password with a bare '?' or '#' in it ends up there.
    let unread =
        url.fragment().is_some() || url.query_pairs().any(|(name, _)| !options.contains(&&*name));
    let has_port = url.port().is_some();
    // redis-rs takes these only where it is built with a TLS of its own, which is not used here.
    let is_tls = matches!(url.scheme(), "rediss" | "valkeys");
    if is_tls {
        url.set_scheme("redis").ok()?;
    }
    let info = url.into_connection_info().ok()?;
    let info = if is_tls { by_tls(info) } else { info };
    (!unread && info.redis_settings().db() >= 0).then_some((info, has_port))
}

/// `user:password@host:port,host:port` in front of a path, as one server each; whether each has a
/// port.
fn several(scheme: &str, authority: &str) -> Option<Vec<(ConnectionInfo, bool)>> {
    let scheme = scheme.split('+').next()?;
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, _)) if credentials.contains('@') => return None,
        Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
        None => (String::new(), authority),
    };
    let info = |host: &str| {
        let (info, has_port) = one(&format!("{scheme}://{credentials}{host}"), &[])?;
        (info.redis_settings().db() == 0).then_some((info, has_port))
    };
    hosts.split(',').map(info).collect()
}

fn sentinel(scheme: &str, rest: &str) -> Option<Topology> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut path = rest.split('/');
    let nodes = several(scheme, path.next()?)?;
    let name = path.next().filter(|name| is_name(name))?;
    let db = path.next().map_or(Some(0), |db| db.parse::<u32>().ok())?;
    if path.next().is_some() {
        return None;
    }
    let primary = nodes.first()?.0.redis_settings().clone().set_db(db.into());
    let (mut own, options) = (RedisConnectionInfo::default(), format!("redis://h/?{query}"));
    one(&options, &["sentinel_user", "sentinel_pass"])?;
    for (option, value) in redis::parse_redis_url(&options)?.query_pairs() {
        own = match &*option {
            "sentinel_user" => own.set_username(&value),
            _ => own.set_password(&value),
        };
    }
    let sentinel = |(info, has_port): (ConnectionInfo, bool)| {
        let address = match info.addr().clone() {
            address if has_port => address,
            address => at_port(address, SENTINEL_PORT),
        };
        info.set_addr(address).set_redis_settings(own.clone())
    };
    let sentinels = nodes.into_iter().map(sentinel).collect();
    Some(Topology::Sentinel { sentinels, name: name.to_owned(), primary })
}

fn cluster(scheme: &str, rest: &str) -> Option<Topology> {
    let nodes = several(scheme, rest.strip_suffix('/').unwrap_or(rest))?;
    Some(Topology::Cluster { nodes: nodes.into_iter().map(|(info, _)| info).collect() })
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

fn at_port(address: ConnectionAddr, port: u16) -> ConnectionAddr {
    match address {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(host, port),
        ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure, tls_params }
        }
        other => other,
    }
}

/// The same place, by TLS.
fn by_tls(info: ConnectionInfo) -> ConnectionInfo {
    let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return info };
    info.set_addr(ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None })
}

pub(super) fn is_tls(info: &ConnectionInfo) -> bool {
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

/// To the parser, a password without a colon before it is a user's name.
fn has_credentials(settings: &RedisConnectionInfo) -> bool {
    settings.username().is_some() || settings.password().is_some()
}

fn stars(is_secret: bool) -> &'static str {
    if is_secret { "***@" } else { "" }
}

/// Hosts and ports, with commas between.
pub(super) struct Places<'a>(pub(super) &'a [ConnectionInfo]);

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

/// A text that is not the URL of a Redis. It does not carry the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrlError {
    form: &'static str,
}

impl fmt::Display for RedisUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected {}, all but the place optional; in names and passwords, \
             characters such as @ : / ? # and % are written %40 %3A %2F %3F %23 and %25",
            self.form
        )
    }
}

impl std::error::Error for RedisUrlError {}
