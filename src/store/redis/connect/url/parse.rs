//! Reads the URL of a Redis strictly, part by part. redis-rs makes the settings of a connection from
//! the parts, but on its own it would skip what it does not know.

use std::net::Ipv6Addr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo};

use super::mistake::{Mistake, RedisUrlError};
use super::topology::Topology;

const SERVER: &str = "redis://user:password@host:port/db";
const SERVER_TLS: &str = "rediss://user:password@host:port/db";
const SOCKET: &str = "redis+unix:///path?db=0&user=name&pass=password";
const SENTINEL: &str = "redis+sentinel://user:password@host:port,host:port/name/db\
                        ?sentinel_user=name&sentinel_pass=password";
const CLUSTER: &str = "redis+cluster://user:password@host:port,host:port";

const OF_SERVER: Mistake = Mistake::Option(
    "the only option that it takes after '?' is protocol: user, password and database stand before \
     it, and what else can be set, such as time limits, is set in [store]",
);
const OF_SOCKET: Mistake = Mistake::Option("its options are db, user, pass and protocol");
const OF_SENTINEL: Mistake = Mistake::Option("its options are sentinel_user and sentinel_pass");
const OF_CLUSTER: Mistake =
    Mistake::Option("it takes no option: what can be set, such as time limits, is set in [store]");

/// The default ports of a server and of a sentinel.
const PORT: u16 = 6_379;
const SENTINEL_PORT: u16 = 26_379;

/// Reads `text`: its scheme, in lower case, and the servers that it leads to.
pub(super) fn parse(text: &str) -> Result<(String, Topology), RedisUrlError> {
    let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
    let scheme = scheme.to_ascii_lowercase();
    type Read = fn(&str, &Parts<'_>) -> Result<Topology, Mistake>;
    let (form, read): (_, Read) = match scheme.as_str() {
        "redis+unix" => (SOCKET, |_, parts| socket(parts)),
        "rediss" => (SERVER_TLS, server),
        "redis+sentinel" | "rediss+sentinel" => (SENTINEL, sentinel),
        "redis+cluster" | "rediss+cluster" => (CLUSTER, cluster),
        _ => (SERVER, server),
    };
    let is_blank = |it: char| it.is_whitespace() || it.is_control();
    let topology = if text.contains(is_blank) {
        Err(Mistake::Blank)
    } else if scheme.starts_with("rediss") && !cfg!(feature = "tls") {
        Err(Mistake::NoTls)
    } else {
        // The part before the '+' says how each node is reached.
        let each = scheme.split('+').next().unwrap_or_default();
        let rest = rest.strip_prefix("//").ok_or(Mistake::NoSlashes);
        rest.map(Parts::of).and_then(|parts| read(each, &parts))
    };
    match topology {
        Ok(topology) => Ok((scheme, topology)),
        Err(mistake) => Err(RedisUrlError { mistake, form }),
    }
}

/// What follows `scheme://`.
struct Parts<'a> {
    authority: &'a str,
    /// With its leading slash; empty if there is none.
    path: &'a str,
    query: &'a str,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Self {
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (rest, None),
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Self { authority, path, query, fragment }
    }

    /// The options after the '?'. An option that is not in `names` is a `mistake`.
    fn options(&self, names: &[&str], mistake: Mistake) -> Result<Options, Mistake> {
        if let Some(fragment) = self.fragment {
            return Err(match fragment {
                "insecure" => Mistake::Insecure,
                _ if fragment.contains('@') => Mistake::BareCharacter,
                _ => Mistake::Fragment,
            });
        }
        // The decoder reads a '+' as a space, as in a form. In a password it is a plus sign.
        let url = format!("redis://h/?{}", self.query.replace('+', "%2B"));
        let url = redis::parse_redis_url(&url).ok_or(mistake)?;
        let pairs =
            url.query_pairs().filter(|(name, value)| !(name.is_empty() && value.is_empty()));
        let pairs: Vec<_> = pairs.map(|(name, it)| (name.into_owned(), it.into_owned())).collect();
        if pairs.iter().any(|(name, _)| !names.contains(&name.as_str())) {
            // A '?' in a password ends the password early, so that the rest is read as an option.
            return Err(if self.query.contains('@') { Mistake::BareCharacter } else { mistake });
        }
        Ok(Options(pairs))
    }

    /// The credentials and the hosts.
    fn authority(&self) -> Result<Authority<'a>, Mistake> {
        if self.path.contains('@') {
            return Err(Mistake::BareCharacter);
        }
        let Some((credentials, hosts)) = self.authority.rsplit_once('@') else {
            return Ok(Authority { credentials: None, hosts: self.authority });
        };
        match credentials.split_once(':') {
            _ if credentials.contains('@') => Err(Mistake::TwoAts),
            Some((_, password)) if !password.is_empty() => {
                Ok(Authority { credentials: Some(credentials), hosts })
            }
            _ => Err(Mistake::NoPassword),
        }
    }
}

struct Options(Vec<(String, String)>);

impl Options {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// `settings` with the user and the password that the options of these two names give.
    fn credentials(
        &self,
        mut settings: RedisConnectionInfo,
        user: &str,
        password: &str,
    ) -> Result<RedisConnectionInfo, Mistake> {
        match (self.get(user), self.get(password)) {
            (None, None) => {}
            (_, None | Some("")) => return Err(Mistake::NoPassword),
            (user, Some(password)) => {
                if let Some(user) = user.filter(|user| !user.is_empty()) {
                    settings = settings.set_username(user);
                }
                settings = settings.set_password(password);
            }
        }
        Ok(settings)
    }

    /// The protocol as the query of a URL for redis-rs; empty if none is given.
    fn protocol(&self) -> Result<String, Mistake> {
        match self.get("protocol") {
            None => Ok(String::new()),
            Some(protocol @ ("2" | "3" | "resp2" | "resp3")) => Ok(format!("?protocol={protocol}")),
            Some(_) => Err(Mistake::Protocol),
        }
    }
}

/// The part between `//` and the path.
#[derive(Clone, Copy)]
struct Authority<'a> {
    credentials: Option<&'a str>,
    hosts: &'a str,
}

impl Authority<'_> {
    fn one(
        self,
        scheme: &str,
        host: &str,
        default_port: u16,
        suffix: &str,
    ) -> Result<ConnectionInfo, Mistake> {
        let (host, port) = host_and_port(host)?;
        let port = port.unwrap_or(default_port);
        let (credentials, at) = self.credentials.map_or(("", ""), |it| (it, "@"));
        // redis-rs reads rediss:// only if it is built with its own TLS, which is not used here.
        let url = format!("redis://{credentials}{at}{host}:{port}{suffix}");
        let url = redis::parse_redis_url(&url).ok_or(Mistake::NotAHost)?;
        // All other parts have been checked.
        let info = url.into_connection_info().map_err(|_| Mistake::NotText)?;
        Ok(if scheme == "rediss" { by_tls(info) } else { info })
    }

    fn each(self, scheme: &str, default_port: u16) -> Result<Vec<ConnectionInfo>, Mistake> {
        self.hosts.split(',').map(|host| self.one(scheme, host, default_port, "")).collect()
    }
}

fn server(scheme: &str, parts: &Parts<'_>) -> Result<Topology, Mistake> {
    let authority = parts.authority()?;
    let protocol = parts.options(&["protocol"], OF_SERVER)?.protocol()?;
    let db = match parts.path {
        "" | "/" => 0,
        path => database(&path[1..])?,
    };
    if authority.hosts.contains(',') {
        return Err(Mistake::SeveralHosts);
    }
    authority.one(scheme, authority.hosts, PORT, &format!("/{db}{protocol}")).map(Topology::Server)
}

fn socket(parts: &Parts<'_>) -> Result<Topology, Mistake> {
    let options = parts.options(&["db", "user", "pass", "protocol"], OF_SOCKET)?;
    if !parts.authority.is_empty() || parts.path.len() < 2 {
        return Err(Mistake::RelativePath);
    }
    let db = options.get("db").map_or(Ok(0), database)?;
    let url = format!("redis+unix://{}{}", parts.path, options.protocol()?);
    let info = redis::parse_redis_url(&url).ok_or(Mistake::RelativePath)?;
    let info = info.into_connection_info().map_err(|_| Mistake::NotText)?;
    let settings = info.redis_settings().clone().set_db(db);
    let settings = options.credentials(settings, "user", "pass")?;
    Ok(Topology::Server(info.set_redis_settings(settings)))
}

fn sentinel(scheme: &str, parts: &Parts<'_>) -> Result<Topology, Mistake> {
    let authority = parts.authority()?;
    let options = parts.options(&["sentinel_user", "sentinel_pass"], OF_SENTINEL)?;
    let path = parts.path.strip_prefix('/').unwrap_or_default();
    let (name, db) = match path.split_once('/') {
        Some((name, db)) => (name, database(db)?),
        None => (path, 0),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if name.is_empty() {
        return Err(Mistake::NoName);
    } else if !name.bytes().all(is_plain) {
        return Err(Mistake::Name);
    }
    let nodes = authority.each(scheme, SENTINEL_PORT)?;
    let first = nodes.first().ok_or(Mistake::NoHost)?;
    let primary = first.redis_settings().clone().set_db(db);
    let own = RedisConnectionInfo::default();
    let own = options.credentials(own, "sentinel_user", "sentinel_pass")?;
    let sentinels = nodes.into_iter().map(|info| info.set_redis_settings(own.clone())).collect();
    Ok(Topology::Sentinel { sentinels, name: name.to_owned(), primary })
}

fn cluster(scheme: &str, parts: &Parts<'_>) -> Result<Topology, Mistake> {
    let authority = parts.authority()?;
    parts.options(&[], OF_CLUSTER)?;
    if !matches!(parts.path, "" | "/" | "/0") {
        return Err(Mistake::DatabaseOfCluster);
    }
    Ok(Topology::Cluster { nodes: authority.each(scheme, PORT)? })
}

/// The same server, reached by TLS.
fn by_tls(info: ConnectionInfo) -> ConnectionInfo {
    let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { return info };
    info.set_addr(ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None })
}

/// Reads the number of a database.
fn database(text: &str) -> Result<i64, Mistake> {
    let number = text.parse::<i32>().ok().filter(|_| is_digits(text));
    number.map(i64::from).ok_or(Mistake::Database)
}

/// Reads a host, which keeps the brackets of an IPv6 address, and its port if there is one.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), Mistake> {
    let (host, port) = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, port) = inner.split_once(']').ok_or(Mistake::Brackets)?;
            let parsed: Ipv6Addr = address.parse().map_err(|_| Mistake::Brackets)?;
            if parsed.is_unspecified() {
                return Err(Mistake::Wildcard);
            }
            (&text[..address.len() + 2], port)
        }
        None if text.matches(':').count() > 1 => return Err(Mistake::Colons),
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            match host {
                "" => return Err(Mistake::NoHost),
                "0.0.0.0" => return Err(Mistake::Wildcard),
                _ if !host.bytes().all(is_plain) => return Err(Mistake::NotAHost),
                _ => (host, port),
            }
        }
    };
    if port.is_empty() {
        return Ok((host, None));
    }
    let number = port.strip_prefix(':').filter(|it| is_digits(it)).ok_or(Mistake::Port)?;
    let number = number.parse().ok().filter(|port| *port != 0).ok_or(Mistake::Port)?;
    Ok((host, Some(number)))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
