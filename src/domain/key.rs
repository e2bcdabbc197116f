//! Whose quota a request uses: an [`Identity`], written as a text that no other identity has.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

pub use self::descriptor::Descriptor;
use self::escape::escape;
pub(crate) use self::escape::unescaped;
pub(crate) use self::host::normal_host;
pub use self::network::{Ipv6Network, Ipv6Prefix};
pub(crate) use self::network::{canonical, counted, counted_network};
pub use self::parse::IdentityError;
pub(crate) use self::parts::{MAX_PARTS, part_order};

mod descriptor;
mod escape;
mod host;
mod network;
mod parse;
mod parts;

/// Who a request is counted for under one policy.
///
/// Its text begins with its type and is escaped. It has no braces, spaces or control characters, and no
/// colons other than those of its type. Commas stand between the parts of one that has several, and in a descriptor.
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
    /// The value of a claim of a verified token, by the claim's name.
    Claim(Cow<'a, str>, Cow<'a, [u8]>),
    /// All clients without this claim together.
    NoClaim(Cow<'a, str>),
    /// The value of a cookie, by the cookie's name.
    Cookie(Cow<'a, str>, Cow<'a, [u8]>),
    /// All requests without this cookie together.
    NoCookie(Cow<'a, str>),
    /// The value of a parameter of the query, by the parameter's name.
    Query(Cow<'a, str>, Cow<'a, [u8]>),
    /// All requests without this parameter together, and all that repeat it.
    NoQuery(Cow<'a, str>),
    /// The host that a request is for, in lower case and without its port.
    Host(Cow<'a, str>),
    /// All requests without a valid host together.
    NoHost,
    /// What the path has in the place of a name of its route's pattern, by that name.
    Segment(Cow<'a, str>, Cow<'a, [u8]>),
    /// All requests whose route has no such name together.
    NoSegment(Cow<'a, str>),
    /// The route of a request, by its pattern.
    Route(Cow<'a, str>),
    /// All requests without a route together.
    NoRoute,
    /// Several of the others at once.
    Parts(IdentityParts<'a>),
}

/// The parts of an identity that has several. A policy whose key is
/// [`KeySource::Parts`](crate::KeySource::Parts) counts by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdentityParts<'a>(Box<[Identity<'a>]>);

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
    /// The type, with which its text begins.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Ipv4(_) | Self::Ipv6(_) | Self::NoIp => "ip",
            Self::User(_) | Self::NoUser => "user",
            Self::Header(..) | Self::NoHeader(_) => "header",
            Self::Descriptor(_) | Self::NoDescriptor => "descriptor",
            Self::Global => "global",
            Self::Claim(..) | Self::NoClaim(_) => "claim",
            Self::Cookie(..) | Self::NoCookie(_) => "cookie",
            Self::Query(..) | Self::NoQuery(_) => "query",
            Self::Host(_) | Self::NoHost => "host",
            Self::Segment(..) | Self::NoSegment(_) => "segment",
            Self::Route(_) | Self::NoRoute => "route",
            Self::Parts(_) => "parts",
        }
    }

    /// The name of what it is a value of, such as that of a header field.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Header(name, _) | Self::NoHeader(name) => Some(name),
            Self::Claim(name, _) | Self::NoClaim(name) => Some(name),
            Self::Cookie(name, _) | Self::NoCookie(name) => Some(name),
            Self::Query(name, _) | Self::NoQuery(name) => Some(name),
            Self::Segment(name, _) | Self::NoSegment(name) => Some(name),
            _ => None,
        }
    }

    /// The ID of the user that it is, or that one of its parts is.
    pub(crate) fn user_id(&self) -> Option<&[u8]> {
        match self {
            Self::User(id) => Some(id),
            Self::Parts(parts) => parts.as_slice().iter().find_map(Self::user_id),
            _ => None,
        }
    }

    /// Whether its text may hold a credential, such as a session's cookie, which belongs into no log.
    pub(crate) fn may_be_secret(&self) -> bool {
        match self {
            Self::Cookie(..) | Self::Query(..) => true,
            Self::Parts(parts) => parts.as_slice().iter().any(Self::may_be_secret),
            _ => false,
        }
    }

    /// Whether its text may hold the ID of a user, or another value that is personal.
    pub(crate) fn may_be_personal(&self) -> bool {
        match self {
            Self::User(_) | Self::Descriptor(_) => true,
            Self::Claim(..) | Self::Segment(..) => true,
            Self::Parts(parts) => parts.as_slice().iter().any(Self::may_be_personal),
            _ => false,
        }
    }

    /// Writes its text into a key, without the cost of a formatter.
    pub(crate) fn write_to(&self, text: &mut impl fmt::Write) -> fmt::Result {
        match self {
            Self::Parts(parts) => parts.write_to(text),
            one => one.write_one(text),
        }
    }

    /// Writes its text, of one that has no parts.
    fn write_one(&self, text: &mut impl fmt::Write) -> fmt::Result {
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
            Self::User(id) => write_value("user", id, text),
            Self::Descriptor(descriptor) => {
                text.write_str("descriptor:")?;
                text.write_str((**descriptor).as_ref())
            }
            Self::Host(host) => write_value("host", host.as_bytes(), text),
            Self::Route(pattern) => write_value("route", pattern.as_bytes(), text),
            Self::Header(_, value)
            | Self::Claim(_, value)
            | Self::Cookie(_, value)
            | Self::Query(_, value)
            | Self::Segment(_, value) => {
                write_value(self.kind(), self.name().unwrap_or_default().as_bytes(), text)?;
                text.write_char(':')?;
                escape(value, text)
            }
            Self::NoHeader(name)
            | Self::NoClaim(name)
            | Self::NoCookie(name)
            | Self::NoQuery(name)
            | Self::NoSegment(name) => write_value(self.kind(), name.as_bytes(), text),
            Self::Global | Self::NoIp | Self::NoUser | Self::NoDescriptor | Self::NoHost => {
                text.write_str(self.kind())
            }
            Self::NoRoute => text.write_str(self.kind()),
            // Its parts are written one by one.
            Self::Parts(_) => Ok(()),
        }
    }
}

/// Writes `kind`, a colon and the escaped `value`.
fn write_value(kind: &str, value: &[u8], text: &mut impl fmt::Write) -> fmt::Result {
    text.write_str(kind)?;
    text.write_char(':')?;
    escape(value, text)
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
