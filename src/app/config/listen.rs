//! The address that the server listens on.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The text of a Unix socket begins with this.
const UNIX: &str = "unix:";

/// The longest path of a Unix socket that every system accepts, in bytes.
const LONGEST_PATH: usize = 103;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// `host:port`, with IPv6 addresses in brackets. Port 0 is any free port.
    Tcp(Box<str>),
    /// A Unix socket at this absolute path, written `unix:/path`.
    Unix(PathBuf),
}

impl Listen {
    /// Whether only processes of this machine reach it.
    pub(crate) fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(address) => match address.parse::<SocketAddr>() {
                Ok(address) => address.ip().to_canonical().is_loopback(),
                Err(_) => address
                    .rsplit_once(':')
                    .is_some_and(|(host, _)| host.eq_ignore_ascii_case("localhost")),
            },
        }
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::Tcp("127.0.0.1:8080".into())
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let refused = || ListenError { text: text.to_owned() };
        if let Some(path) = text.strip_prefix(UNIX) {
            return is_socket_path(path).then(|| Self::Unix(path.into())).ok_or_else(refused);
        }
        let is_valid = text.parse::<SocketAddr>().is_ok()
            || text.rsplit_once(':').is_some_and(|(host, port)| is_name(host) && is_port(port));
        is_valid.then(|| Self::Tcp(text.into())).ok_or_else(refused)
    }
}

fn is_socket_path(text: &str) -> bool {
    let path = Path::new(text);
    path.is_absolute()
        && path.file_name().is_some()
        && !text.ends_with('/')
        && !text.contains('\0')
        && text.len() <= LONGEST_PATH
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// Whether `text` is the name of a host (RFC 1123). A name that ends in a number is a bad IPv4 address.
pub(super) fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = text.rsplit('.').next().unwrap_or(text);
    text.len() <= 253
        && text.split('.').all(is_label)
        && last.bytes().any(|byte| !byte.is_ascii_digit())
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

/// A text that is neither `host:port` nor `unix:/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenError {
    text: String,
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        if text.starts_with(UNIX) {
            return write!(
                f,
                "{text:?} is not a socket to listen on: expected {UNIX} and the absolute path of a file, \
                 of at most {LONGEST_PATH} bytes, as in {UNIX}/run/tollgate/tollgate.sock"
            );
        }
        write!(f, "{text:?} is not an address to listen on: expected host:port")?;
        if let Some(port) = text.strip_prefix(':').filter(|port| is_port(port)) {
            return write!(f, ", as in 0.0.0.0:{port} or [::]:{port}");
        }
        if let Ok(address) = text.parse::<Ipv6Addr>() {
            return write!(f, ", as in [{address}]:8080");
        }
        write!(f, ", as in 127.0.0.1:8080 or [::1]:8080, or {UNIX}/path")
    }
}

impl std::error::Error for ListenError {}
