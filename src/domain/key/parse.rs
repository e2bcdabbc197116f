//! Reads an identity as its text has it, and as people type it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::descriptor::Descriptor;
use super::escape::unescaped;
use super::host::normal_host;
use super::network::{Ipv6Network, Ipv6Prefix, counted};
use super::parts::{JOINT, MAX_PARTS, PART_KINDS};
use super::{Identity, IdentityParts};

/// Why a text names no [`Identity`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityError {
    /// It begins with no type of identity.
    Kind(String),
    /// What follows `ip:` is no address, and no network of IPv6.
    Address(String),
    /// A network of IPv4: each address is a client of its own.
    Ipv4Network(String),
    /// Nothing follows `user:`.
    NoUser,
    /// What follows `header:` is no name of a header field.
    HeaderName(String),
    /// What follows `descriptor:` is no descriptor.
    Descriptor(String),
    /// What follows `claim:`, `cookie:`, `query:` or `segment:` is no name.
    Name(String),
    /// What follows `host:` is no host, or nothing follows `route:`.
    NoValue(String),
    /// Parts that no key has together.
    Parts(String),
}

impl Identity<'static> {
    /// Reads `text`, the way an identity is displayed: `ip:203.0.113.7`, `ip:2001:db8::/64`, `user:1042`,
    /// `header:x-api-key:secret`, `claim:org:acme`, `route:GET /api/data`, `descriptor:edge:generic_key=login` or
    /// `global`. Commas join the parts of a key that has several, as in `ip:203.0.113.7,header:x-tenant:acme`. They may
    /// stand in any order.
    ///
    /// Characters that would be escaped may also stand as they are, except for a colon in a name, and a comma
    /// before the name of a type. An IPv6 address names its network of `ipv6_prefix`, and an IPv6 address that stands for
    /// an IPv4 address names that.
    ///
    /// # Errors
    /// If `text` names no identity.
    pub fn named(text: &str, ipv6_prefix: Ipv6Prefix) -> Result<Self, IdentityError> {
        let mut parts = parts_of(text);
        let first = parts.next().unwrap_or_default();
        let Some(second) = parts.next() else { return Self::one_named(text, ipv6_prefix) };
        let texts = [first, second].into_iter().chain(parts);
        let parts: Result<_, _> = texts.map(|part| Self::one_named(part, ipv6_prefix)).collect();
        let none = || IdentityError::Parts(text.to_owned());
        IdentityParts::of(parts?).map(Self::Parts).ok_or_else(none)
    }

    /// The identity that `text` names, as one that has no parts.
    fn one_named(text: &str, ipv6_prefix: Ipv6Prefix) -> Result<Self, IdentityError> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        match (kind, rest) {
            ("global", None) => Ok(Self::Global),
            ("ip", None) => Ok(Self::NoIp),
            ("user", None) => Ok(Self::NoUser),
            ("descriptor", None) => Ok(Self::NoDescriptor),
            ("ip", Some(address)) => of_address(address, ipv6_prefix),
            ("user", Some("")) => Err(IdentityError::NoUser),
            ("user", Some(id)) => Ok(Self::User(unescaped(id).into())),
            ("header", Some(field)) => of_header(field),
            ("descriptor", Some(rest)) => match Descriptor::named(rest) {
                Some(descriptor) => Ok(Self::Descriptor(Cow::Owned(descriptor))),
                None => Err(IdentityError::Descriptor(text.to_owned())),
            },
            ("host", None) => Ok(Self::NoHost),
            ("route", None) => Ok(Self::NoRoute),
            ("host" | "route", Some("")) => Err(IdentityError::NoValue(text.to_owned())),
            ("host", Some(host)) => match normal_host(&as_text(host)) {
                Some(host) => Ok(Self::Host(host.into_owned().into())),
                None => Err(IdentityError::NoValue(text.to_owned())),
            },
            ("route", Some(pattern)) => Ok(Self::Route(as_text(pattern).into())),
            ("claim", Some(rest)) => of_name(text, rest, Self::Claim, Self::NoClaim),
            ("cookie", Some(rest)) => of_name(text, rest, Self::Cookie, Self::NoCookie),
            ("query", Some(rest)) => of_name(text, rest, Self::Query, Self::NoQuery),
            ("segment", Some(rest)) => of_name(text, rest, Self::Segment, Self::NoSegment),
            _ => Err(IdentityError::Kind(text.to_owned())),
        }
    }
}

/// The parts of `text`: it is cut at each comma that a type follows. A descriptor has commas of its own, and is no part.
fn parts_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text).filter(|_| !text.starts_with("descriptor"));
    let mut whole = Some(text).filter(|_| rest.is_none());
    std::iter::from_fn(move || {
        let Some(text) = rest else { return whole.take() };
        let mut joints = text.match_indices(JOINT).map(|(at, _)| at);
        let joint = joints.find(|at| begins_with_kind(&text[at + 1..]));
        rest = joint.map(|at| &text[at + 1..]);
        Some(&text[..joint.unwrap_or(text.len())])
    })
}

fn begins_with_kind(text: &str) -> bool {
    let end = text.find([':', JOINT]).unwrap_or(text.len());
    PART_KINDS.contains(&&text[..end])
}

fn as_text(text: &str) -> String {
    String::from_utf8_lossy(&unescaped(text)).into_owned()
}

/// The value of a name, or all that have none, which `text` names. After its type it goes on with `rest`.
fn of_name(
    text: &str,
    rest: &str,
    value: fn(Cow<'static, str>, Cow<'static, [u8]>) -> Identity<'static>,
    no_value: fn(Cow<'static, str>) -> Identity<'static>,
) -> Result<Identity<'static>, IdentityError> {
    let (name, of) = match rest.split_once(':') {
        Some((name, of)) => (name, Some(of)),
        None => (rest, None),
    };
    let name = String::from_utf8(unescaped(name)).ok().filter(|name| !name.is_empty());
    let name = Cow::from(name.ok_or_else(|| IdentityError::Name(text.to_owned()))?);
    Ok(match of {
        Some(of) => value(name, unescaped(of).into()),
        None => no_value(name),
    })
}

fn of_address(text: &str, ipv6_prefix: Ipv6Prefix) -> Result<Identity<'static>, IdentityError> {
    let unknown = || IdentityError::Address(text.to_owned());
    let Some((address, length)) = text.split_once('/') else {
        let address: IpAddr = text.parse().map_err(|_| unknown())?;
        return Ok(Identity::ip(address, ipv6_prefix));
    };
    let address: IpAddr = address.parse().map_err(|_| unknown())?;
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    let length: u8 = length.parse().ok().filter(|_| is_number).ok_or_else(unknown)?;
    match counted(address) {
        // All of the address, if it is written as a network.
        IpAddr::V4(v4) if length == if address.is_ipv4() { 32 } else { 128 } => {
            Ok(Identity::Ipv4(v4))
        }
        IpAddr::V4(_) => Err(IdentityError::Ipv4Network(text.to_owned())),
        IpAddr::V6(v6) => {
            let prefix = Ipv6Prefix::new(length).ok_or_else(unknown)?;
            Ok(Identity::Ipv6(Ipv6Network::of_client(v6, prefix)))
        }
    }
}

fn of_header(field: &str) -> Result<Identity<'static>, IdentityError> {
    let lower = |name: Cow<'static, str>| Cow::from(name.to_ascii_lowercase());
    match of_name(field, field, Identity::Header, Identity::NoHeader) {
        Ok(Identity::Header(name, value)) => Ok(Identity::Header(lower(name), value)),
        Ok(Identity::NoHeader(name)) => Ok(Identity::NoHeader(lower(name))),
        _ => Err(IdentityError::HeaderName(field.to_owned())),
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(text) => write!(
                f,
                "{text:?} names no client: expected one as in ip:203.0.113.7, ip:2001:db8::/64, user:1042, \
                 header:x-api-key:VALUE, claim:org:VALUE, cookie:session:VALUE, query:api_key:VALUE, host:api.example.com, \
                 segment:id:VALUE, route:GET /api/data, descriptor:DOMAIN:KEY=VALUE or global"
            ),
            Self::Name(text) => write!(
                f,
                "{text:?} has no name: expected one as in claim:org:VALUE, cookie:session:VALUE, query:api_key:VALUE or \
                 segment:id:VALUE"
            ),
            Self::NoValue(text) => write!(
                f,
                "{text:?} names nothing: expected one as in host:api.example.com or route:GET /api/data"
            ),
            Self::Parts(text) => write!(
                f,
                "{text:?} has parts that no key has together: expected one as in ip:203.0.113.7,header:x-tenant:VALUE, of \
                 at most {MAX_PARTS} parts and each type or name once"
            ),
            Self::Address(text) => write!(
                f,
                "{text:?} is no address: expected one as in ip:203.0.113.7, ip:2001:db8::1 or ip:2001:db8::/64"
            ),
            Self::Ipv4Network(text) => write!(
                f,
                "{text:?} is a network: each IPv4 address is a client of its own, and access.block takes networks"
            ),
            Self::NoUser => f.write_str("\"user:\" names no user: expected one as in user:1042"),
            Self::Descriptor(text) => write!(
                f,
                "{text:?} names no descriptor: expected one as in descriptor:edge:generic_key=login,tenant=7"
            ),
            Self::HeaderName(text) => write!(
                f,
                "{text:?} names no header field: expected one as in header:x-api-key:VALUE"
            ),
        }
    }
}

impl std::error::Error for IdentityError {}

#[cfg(test)]
mod tests;
