//! Whose quota it is: an [`Identity`], written so that no two ever share a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

pub(crate) use self::network::canonical;
pub use self::network::{Ipv6Network, Ipv6Prefix};

mod network;

/// Who a request is counted for, under one policy.
///
/// Its text is typed and escaped: it has no braces, spaces or control characters, and a colon only
/// where its type puts one.
///
/// ```
/// use tollgate::{Identity, Ipv6Prefix};
///
/// let ip = |address: &str| Identity::ip(address.parse().unwrap(), Ipv6Prefix::default());
/// assert_eq!(ip("203.0.113.7").to_string(), "ip:203.0.113.7");
/// assert_eq!(ip("2001:db8::1").to_string(), "ip:2001:db8::/64");
/// assert_eq!(Identity::user("a:{b}").to_string(), "user:a%3A%7Bb%7D");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// The network of an IPv6 address.
    Ipv6(Ipv6Network),
    /// An authenticated user.
    User(Box<[u8]>),
    /// The value of a header field, by the field's name in lower case.
    Header(Box<str>, Box<[u8]>),
    /// Everyone together, for a quota that all clients share.
    Global,
    /// Everyone without a network address together, as over a Unix socket.
    NoIp,
    /// Everyone without a user together, so that leaving a credential out opens nothing.
    NoUser,
    /// Everyone without this header field together, likewise.
    NoHeader(Box<str>),
}

impl Identity {
    /// The client at `address`: an IPv4 address, also where IPv6 carries it, or the network of an IPv6
    /// address, whose holder has all of it to choose from. Networks of other sizes are other clients.
    #[must_use]
    pub fn ip(address: IpAddr, ipv6_prefix: Ipv6Prefix) -> Self {
        match canonical(address) {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(Ipv6Network::of(address, ipv6_prefix)),
        }
    }

    /// The authenticated user `id`.
    #[must_use]
    pub fn user(id: impl AsRef<[u8]>) -> Self {
        Self::User(id.as_ref().into())
    }

    /// The sender of header field `name` with `value`, which need not be UTF-8.
    #[must_use]
    pub fn header(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::Header(name.to_ascii_lowercase().into(), value.as_ref().into())
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(address) => write!(f, "ip:{address}"),
            Self::Ipv6(network) => write!(f, "ip:{network}"),
            Self::User(id) => write!(f, "user:{}", Escaped(id)),
            Self::Header(name, value) => {
                write!(f, "header:{}:{}", Escaped(name.as_bytes()), Escaped(value))
            }
            Self::Global => f.write_str("global"),
            Self::NoIp => f.write_str("ip"),
            Self::NoUser => f.write_str("user"),
            Self::NoHeader(name) => write!(f, "header:{}", Escaped(name.as_bytes())),
        }
    }
}

/// Bytes with everything percent-encoded (RFC 3986, section 2.1) but the unreserved characters and `@`.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~@".contains(byte);
        let mut rest = self.0;
        loop {
            let plain = rest.iter().take_while(|byte| is_plain(byte)).count();
            let (text, after) = rest.split_at(plain);
            f.write_str(std::str::from_utf8(text).unwrap_or_default())?;
            let Some((byte, after)) = after.split_first() else { return Ok(()) };
            write!(f, "%{byte:02X}")?;
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests;
