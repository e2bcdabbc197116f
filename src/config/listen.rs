//! Where the server listens: a [`Listen`] address.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A `host:port` to listen on; IPv6 addresses stand in brackets, and port 0 is any free one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen(Box<str>);

impl Listen {
    /// The text, as sockets are bound to it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self("127.0.0.1:8080".into())
    }
}

impl FromStr for Listen {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let is_valid = text.parse::<SocketAddr>().is_ok()
            || text.rsplit_once(':').is_some_and(|(host, port)| is_name(host) && is_port(port));
        if is_valid { Ok(Self(text.into())) } else { Err(ListenError(text.to_owned())) }
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A host's name (RFC 1123), which cannot end in a number: that would be a bad IPv4 address.
fn is_name(text: &str) -> bool {
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
        f.write_str(&self.0)
    }
}

/// A text that is not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenError(String);

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an address to listen on: expected host:port", self.0)?;
        if let Some(port) = self.0.strip_prefix(':').filter(|port| is_port(port)) {
            return write!(f, ", as in 0.0.0.0:{port} or [::]:{port}");
        }
        if let Ok(address) = self.0.parse::<Ipv6Addr>() {
            return write!(f, ", as in [{address}]:8080");
        }
        f.write_str(", as in 127.0.0.1:8080 or [::1]:8080")
    }
}

impl std::error::Error for ListenError {}
