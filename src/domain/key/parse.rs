//! Reads an identity as its text has it, and as people type it.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use super::Identity;
use super::descriptor::Descriptor;
use super::escape::unescaped;
use super::network::{Ipv6Network, Ipv6Prefix, counted};

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
}

impl Identity<'static> {
    /// Reads `text`, the way an identity is displayed: `ip:203.0.113.7`, `ip:2001:db8::/64`, `user:1042`,
    /// `header:x-api-key:secret`, `descriptor:edge:generic_key=login` or `global`.
    ///
    /// Characters that would be escaped may also stand as they are. An IPv6 address names its network of
    /// `ipv6_prefix`, and an IPv6 address that stands for an IPv4 address names that.
    ///
    /// # Errors
    /// If `text` names no identity.
    pub fn named(text: &str, ipv6_prefix: Ipv6Prefix) -> Result<Self, IdentityError> {
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
            _ => Err(IdentityError::Kind(text.to_owned())),
        }
    }
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
    let (name, value) = match field.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (field, None),
    };
    let name = String::from_utf8(unescaped(name)).ok().filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| IdentityError::HeaderName(field.to_owned()))?;
    let name = Cow::from(name.to_ascii_lowercase());
    Ok(match value {
        Some(value) => Identity::Header(name, unescaped(value).into()),
        None => Identity::NoHeader(name),
    })
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(text) => write!(
                f,
                "{text:?} names no client: expected one as in ip:203.0.113.7, ip:2001:db8::/64, user:1042, \
                 header:x-api-key:VALUE, descriptor:DOMAIN:KEY=VALUE or global"
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> Result<String, IdentityError> {
        Identity::named(text, Ipv6Prefix::default()).map(|identity| identity.to_string())
    }

    #[test]
    fn what_people_type_becomes_the_text_of_the_identity() {
        let cases = [
            ("ip:203.0.113.7", "ip:203.0.113.7"),
            ("ip:203.0.113.7/32", "ip:203.0.113.7"),
            ("ip:::ffff:203.0.113.7", "ip:203.0.113.7"),
            ("ip:2001:db8::1", "ip:2001:db8::/64"),
            ("ip:2001:DB8:0:0:1::/64", "ip:2001:db8::/64"),
            ("ip:2001:db8::1/56", "ip:2001:db8::/56"),
            ("ip", "ip"),
            ("user:1042", "user:1042"),
            ("user:a:{b}", "user:a%3A%7Bb%7D"),
            ("user:a%3a%7Bb%7d", "user:a%3A%7Bb%7D"),
            ("user:50%", "user:50%25"),
            ("user", "user"),
            ("header:X-Api-Key:a b", "header:x-api-key:a%20b"),
            ("header:x-api-key:", "header:x-api-key:"),
            ("header:x-api-key", "header:x-api-key"),
            ("global", "global"),
            ("descriptor:edge:a=b", "descriptor:edge:a=b"),
            ("descriptor:edge:a=b c,d=/e/*", "descriptor:edge:a=b%20c,d=%2Fe%2F*"),
            ("descriptor:edge:", "descriptor:edge:"),
            ("descriptor", "descriptor"),
        ];
        for (typed, text) in cases {
            assert_eq!(named(typed).as_deref(), Ok(text), "{typed}");
        }
    }

    #[test]
    fn what_names_nobody_is_an_error_that_shows_what_would() {
        let no_clients = [
            "",
            "1042",
            "203.0.113.7",
            "ip:",
            "ip:1042",
            "ip:203.0.113.0/24",
            "ip:::/0",
            "ip:::1/+64",
            "ip:::1/129",
            "user:",
            "header:",
            "header::a",
            "descriptor:",
            "descriptor:edge",
            "descriptor:edge:a",
            "descriptor:edge:a=b,",
            "descriptor:edge:a=%FF",
            "globe",
            "global:",
            "probe",
            "operators",
        ];
        for typed in no_clients {
            let error = named(typed).expect_err(typed).to_string();
            assert!(
                error.contains("expected one as in") || error.contains("access.block"),
                "{error}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_text_of_an_identity_names_it(
            id in prop::collection::vec(any::<u8>(), 1..20),
            name in "[a-z-]{1,8}",
            address: u128,
            prefix in 1..=128_u8,
        ) {
            let prefix = Ipv6Prefix::new(prefix).unwrap();
            let identities = [
                Identity::user(&id),
                Identity::header(&name, &id),
                Identity::NoHeader(name.clone().into()),
                Identity::Descriptor(Cow::Owned(Descriptor::new(&name).with(&name, &name))),
                Identity::ip(std::net::Ipv6Addr::from_bits(address).into(), prefix),
            ];
            for identity in identities {
                let read = Identity::named(&identity.to_string(), Ipv6Prefix::default());
                prop_assert_eq!(read, Ok(identity));
            }
        }
    }
}
