//! Whose quota a request uses: an [`Identity`], written as a text that no other identity has.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

pub use self::descriptor::Descriptor;
use self::escape::escape;
pub use self::network::{Ipv6Network, Ipv6Prefix};
pub(crate) use self::network::{canonical, counted, counted_network};
pub use self::parse::IdentityError;

mod descriptor;
mod escape;
mod network;
mod parse;

/// Who a request is counted for under one policy.
///
/// Its text begins with its type and is escaped. It has no braces, spaces or control characters, and no
/// colons other than those of its type.
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
#[non_exhaustive]
pub enum Identity<'a> {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// The network of an IPv6 address.
    Ipv6(Ipv6Network),
    /// An authenticated user.
    User(Cow<'a, [u8]>),
    /// The value of a header field, with the field's name in lower case.
    Header(Cow<'a, str>, Cow<'a, [u8]>),
    /// A request, by what a proxy says of it.
    Descriptor(Cow<'a, Descriptor>),
    /// All clients together, for a quota that they share.
    Global,
    /// All clients without a network address together, as over a Unix socket.
    NoIp,
    /// All clients without a user together, so that a client gains nothing by leaving out its credential.
    NoUser,
    /// All clients without this header field together, so that a client gains nothing by leaving it out.
    NoHeader(Cow<'a, str>),
    /// All requests without a descriptor together.
    NoDescriptor,
}

impl Identity<'_> {
    /// The client at `address`: an IPv4 address, or the network of an IPv6 address, since its holder can
    /// use every address of that network. Networks of different sizes are different clients.
    ///
    /// Some IPv6 addresses stand for an IPv4 address, whose holder alone receives what is sent to them.
    /// They count as that IPv4 address: `::ffff:0:0/96`, `64:ff9b::/96`, the /96 networks that begin with
    /// `64:ff9b:1:n::`, 6to4 (`2002::/16`) and Teredo (`2001::/32`). The rest of `64:ff9b:1::/48` is one
    /// client.
    #[must_use]
    pub fn ip(address: IpAddr, ipv6_prefix: Ipv6Prefix) -> Self {
        match counted(address) {
            IpAddr::V4(address) => Self::Ipv4(address),
            IpAddr::V6(address) => Self::Ipv6(Ipv6Network::of_client(address, ipv6_prefix)),
        }
    }

    /// The authenticated user `id`.
    #[must_use]
    pub fn user(id: impl AsRef<[u8]>) -> Self {
        Self::User(id.as_ref().to_vec().into())
    }

    /// The sender of header field `name` with `value`, which need not be UTF-8.
    #[must_use]
    pub fn header(name: &str, value: impl AsRef<[u8]>) -> Self {
        Self::Header(name.to_ascii_lowercase().into(), value.as_ref().to_vec().into())
    }
}

impl Identity<'_> {
    /// Writes its text into a key, without the cost of a formatter.
    pub(crate) fn write_to(&self, text: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Ipv4(address) => {
                text.write_str("ip")?;
                [':', '.', '.', '.'].into_iter().zip(address.octets()).try_for_each(
                    |(separator, octet)| {
                        text.write_char(separator)?;
                        write_octet(octet, text)
                    },
                )
            }
            Self::Ipv6(network) => write!(text, "ip:{network}"),
            Self::User(id) => {
                text.write_str("user:")?;
                escape(id, text)
            }
            Self::Header(name, value) => {
                text.write_str("header:")?;
                escape(name.as_bytes(), text)?;
                text.write_char(':')?;
                escape(value, text)
            }
            Self::Descriptor(descriptor) => {
                text.write_str("descriptor:")?;
                text.write_str((**descriptor).as_ref())
            }
            Self::Global => text.write_str("global"),
            Self::NoIp => text.write_str("ip"),
            Self::NoUser => text.write_str("user"),
            Self::NoDescriptor => text.write_str("descriptor"),
            Self::NoHeader(name) => {
                text.write_str("header:")?;
                escape(name.as_bytes(), text)
            }
        }
    }
}

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

fn write_octet(octet: u8, text: &mut impl fmt::Write) -> fmt::Result {
    let digits = [octet / 100, octet / 10 % 10, octet % 10];
    let zeros = match octet {
        0..10 => 2,
        10..100 => 1,
        100.. => 0,
    };
    digits[zeros..].iter().try_for_each(|digit| text.write_char(char::from(b'0' + digit)))
}

#[cfg(test)]
mod tests;
