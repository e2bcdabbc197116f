//! Where the store is: a [`StoreUrl`], whose password never prints.

use std::fmt;
use std::str::FromStr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _};

/// Where state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// In this process: `memory:`.
    Memory,
    /// In the Redis server at this URL: `redis://` or `redis+unix://`.
    Redis(RedisUrl),
}

impl Default for StoreUrl {
    /// The Redis server on this machine.
    fn default() -> Self {
        let url: Box<str> = "redis://127.0.0.1:6379/0".into();
        Self::Redis(RedisUrl { text: url.clone(), redacted: url })
    }
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let (scheme, _) = text.split_once(':').ok_or(StoreUrlError::NotAUrl)?;
        match scheme.to_ascii_lowercase().as_str() {
            "memory" if text.len() == "memory:".len() => Ok(Self::Memory),
            "memory" => Err(StoreUrlError::MemoryHasNoPlace),
            "redis" | "redis+unix" => RedisUrl::new(text).map(Self::Redis),
            "rediss" => Err(StoreUrlError::NotYet("rediss://")),
            "redis+cluster" => Err(StoreUrlError::NotYet("redis+cluster://")),
            "redis+sentinel" => Err(StoreUrlError::NotYet("redis+sentinel://")),
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

/// The URL of a Redis server, which redis-rs takes. Printed, it has `***` for its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    text: Box<str>,
    redacted: Box<str>,
}

impl RedisUrl {
    /// The URL as it was written, password and all: for the connection, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    fn new(text: &str) -> Result<Self, StoreUrlError> {
        let url = redis::parse_redis_url(text).ok_or(StoreUrlError::BadRedis(REDIS))?;
        let (options, form): (&[&str], _) = match url.scheme() {
            "redis" => (&["protocol"], REDIS),
            _ => (&["db", "user", "pass", "protocol"], REDIS_UNIX),
        };
        // redis-rs reads past both, and a password with a bare '?' or '#' in it ends up there.
        let unread = url.fragment().is_some()
            || url.query_pairs().any(|(name, _)| !options.contains(&&*name));
        let info = url.into_connection_info().map_err(|_| StoreUrlError::BadRedis(form))?;
        if unread || info.redis_settings().db() < 0 {
            return Err(StoreUrlError::BadRedis(form));
        }
        Ok(Self { text: text.into(), redacted: redacted(&info).into() })
    }
}

/// Made of the parts that are shown, so that no way of writing a password gets past it.
fn redacted(info: &ConnectionInfo) -> String {
    let settings = info.redis_settings();
    let db = settings.db();
    // To the parser, a password without a colon before it is a user's name.
    let has_credentials = settings.username().is_some() || settings.password().is_some();
    let credentials = if has_credentials { "***@" } else { "" };
    match info.addr() {
        ConnectionAddr::Tcp(host, port) if host.contains(':') => {
            format!("redis://{credentials}[{host}]:{port}/{db}")
        }
        ConnectionAddr::Unix(path) => {
            let credentials = if has_credentials { "&pass=***" } else { "" };
            format!("redis+unix://{}?db={db}{credentials}", path.display())
        }
        host_and_port => format!("redis://{credentials}{host_and_port}/{db}"),
    }
}

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

const REDIS: &str = "redis://user:password@host:port/db";
const REDIS_UNIX: &str = "redis+unix:///path?db=0&user=name&pass=password";

/// A text that is not the URL of a store. It does not carry the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrlError {
    /// It has no scheme, or one that no store has.
    NotAUrl,
    /// `memory:` with something after it.
    MemoryHasNoPlace,
    /// The scheme of a store that this version does not speak.
    NotYet(&'static str),
    /// A URL that does not have this form.
    BadRedis(&'static str),
}

impl fmt::Display for StoreUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SPOKEN: &str = "memory:, redis://host:port/db or redis+unix:///path";
        match self {
            Self::NotAUrl => write!(f, "not the URL of a store: expected {SPOKEN}"),
            Self::MemoryHasNoPlace => f.write_str("nothing may follow memory:"),
            Self::NotYet(scheme) => {
                write!(f, "this version does not speak {scheme} yet: expected {SPOKEN}")
            }
            Self::BadRedis(form) => write!(
                f,
                "expected {form}, all but the place optional; in names and passwords, \
                 characters such as @ : / ? # and % are written %40 %3A %2F %3F %23 and %25"
            ),
        }
    }
}

impl std::error::Error for StoreUrlError {}
