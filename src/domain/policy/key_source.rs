use std::fmt;
use std::str::FromStr;

use super::error::PolicyError;

/// What a policy counts a request by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeySource {
    /// The client's IP address.
    Ip,
    /// The authenticated user. All clients without one share a quota.
    User,
    /// The authenticated user, or the IP address if there is none.
    UserOrIp,
    /// Nothing: all requests share one quota.
    Global,
    /// The value of this header field, whose name may be in upper or lower case. All clients without it
    /// share a quota.
    Header(Box<str>),
    /// What a proxy says of the request: its domain and its descriptor. All requests without one share a quota.
    Descriptor,
}

impl KeySource {
    /// Whether a user has a quota of their own.
    #[cfg(feature = "server")]
    pub(crate) fn is_by_user(&self) -> bool {
        matches!(self, Self::User | Self::UserOrIp)
    }
}

impl FromStr for KeySource {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text {
            "ip" => Ok(Self::Ip),
            "user" => Ok(Self::User),
            "user-or-ip" => Ok(Self::UserOrIp),
            "global" => Ok(Self::Global),
            "descriptor" => Ok(Self::Descriptor),
            _ => text
                .strip_prefix("header:")
                .filter(|name| !name.is_empty() && name.bytes().all(is_token_byte))
                .map(|name| Self::Header(name.to_ascii_lowercase().into()))
                .ok_or_else(|| PolicyError::Key(text.to_owned())),
        }
    }
}

/// Whether `byte` may stand in a header field's name (RFC 9110, section 5.6.2).
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip => f.write_str("ip"),
            Self::User => f.write_str("user"),
            Self::UserOrIp => f.write_str("user-or-ip"),
            Self::Global => f.write_str("global"),
            Self::Descriptor => f.write_str("descriptor"),
            Self::Header(name) => write!(f, "header:{name}"),
        }
    }
}
