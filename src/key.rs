//! Whose quota it is: an [`Identity`], written so that no two ever share a name.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// The length of the IPv6 network that counts as one client: providers hand a customer a /64 or more.
const IPV6_PREFIX: u8 = 64;

/// Who a request is counted for, under one policy.
///
/// Its text is typed and escaped: it has no braces, spaces or control characters, and a colon only
/// where its type puts one.
///
/// ```
/// use tollgate::Identity;
///
/// assert_eq!(Identity::ip([203, 0, 113, 7].into()).to_string(), "ip:203.0.113.7");
/// assert_eq!(Identity::user("a:{b}").to_string(), "user:a%3A%7Bb%7D");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A network address, as [`Identity::ip`] makes it.
    Ip(IpAddr),
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
    /// The client at `address`: an IPv4 address, also where it is written as IPv6, or the /64
    /// network of an IPv6 address, whose holder has all of it to choose from.
    #[must_use]
    pub fn ip(address: IpAddr) -> Self {
        Self::Ip(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(network(v6, IPV6_PREFIX)),
            v4 @ IpAddr::V4(_) => v4,
        })
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

fn network(address: Ipv6Addr, prefix: u8) -> Ipv6Addr {
    let host_bits = 128 - u32::from(prefix.min(128));
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V4(address)) => write!(f, "ip:{address}"),
            Self::Ip(IpAddr::V6(network)) => write!(f, "ip:{network}/{IPV6_PREFIX}"),
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
