use std::fmt;
use std::str::FromStr;

use super::error::PolicyError;
use crate::domain::key::Identity;

mod parts;

/// The most characters of a name in a key, such as that of a claim.
const MAX_KEY_NAME: usize = 128;

/// What a policy counts a request by.
///
/// ```
/// use tollgate::KeySource;
///
/// let key: KeySource = "ip,header:x-tenant".parse()?;
/// let parts = [KeySource::Ip, KeySource::Header("x-tenant".into())];
/// assert_eq!(key, KeySource::all_of(parts)?);
/// # Ok::<(), tollgate::PolicyError>(())
/// ```
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
    /// The value of this claim of a verified token. All clients without it share a quota.
    Claim(Box<str>),
    /// The value of this cookie. All requests without it share a quota.
    Cookie(Box<str>),
    /// The value of this parameter of the query. All requests that lack it, or have it more than once, share a quota.
    Query(Box<str>),
    /// The host that the request is for, without its port. All requests without one share a quota.
    Host,
    /// What the path has in the place of this name in the pattern of its route, such as `id` in `/items/{id}`. All
    /// requests whose route has no such name share a quota.
    Segment(Box<str>),
    /// The route: requests of each route have a quota of their own. All requests without a route share a quota.
    Route,
    /// Several of the others at once. [`KeySource::all_of`] makes it.
    Parts(KeyParts),
}

/// The parts of a key that has several. [`KeySource::all_of`] makes it, and [`KeySource::parts`] shows them.
///
/// They have one order, in which every text names them, whatever order they were given in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyParts(Box<[KeySource]>);

impl KeySource {
    /// All of `parts` at once, in any order: two requests share a quota if they agree in each of them. A single part
    /// is that key itself.
    ///
    /// # Errors
    /// If there is none, or there are too many, or one of them adds nothing to the others.
    pub fn all_of(parts: impl IntoIterator<Item = Self>) -> Result<Self, PolicyError> {
        Ok(KeyParts::key_of(parts)?)
    }

    /// What it counts by: one source, or each of its parts.
    #[must_use]
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Parts(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        }
    }

    /// Whether one key belongs to one user, if the user is known: the quotas of plans and users hold then.
    pub(crate) fn is_by_user(&self) -> bool {
        match self {
            Self::User | Self::UserOrIp => true,
            Self::Parts(parts) => parts.as_slice().iter().any(Self::is_by_user),
            _ => false,
        }
    }

    /// Whether a policy that counts by it may count `identity`.
    pub(crate) fn may_count(&self, identity: &Identity<'_>) -> bool {
        match (self, identity) {
            (Self::Parts(parts), Identity::Parts(identities)) => {
                let (parts, identities) = (parts.as_slice(), identities.as_slice());
                parts.len() == identities.len()
                    && parts.iter().zip(identities).all(|(part, it)| part.may_count(it))
            }
            // Without a user it is counted by its address.
            (Self::UserOrIp, Identity::User(_)) => true,
            (Self::UserOrIp, identity) => identity.kind() == "ip",
            (source, identity) => {
                source.kind_and_name() == (identity.kind(), identity.name())
                    && !matches!(identity, Identity::Parts(_))
            }
        }
    }

    /// Whether a policy that counts by it may count an identity of this `kind`, of which only a hash is known.
    pub(crate) fn may_count_kind(&self, kind: &str) -> bool {
        match self {
            Self::UserOrIp => kind == "user",
            source => source.kind_and_name().0 == kind,
        }
    }

    /// Whether the address of a client is a part of its key, at least without a user.
    #[cfg(feature = "server")]
    pub(crate) fn is_by_address(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Self::Ip | Self::UserOrIp))
    }

    /// Whether it counts the address of a client, whose user is known or not.
    pub(crate) fn counts_address_of(&self, has_user: bool) -> bool {
        self.parts().iter().any(|part| match part {
            Self::Ip => true,
            Self::UserOrIp => !has_user,
            _ => false,
        })
    }

    /// The same source, with the name of a header field in lower case.
    pub(super) fn normal(self) -> Self {
        match self {
            Self::Header(name) => Self::Header(name.to_ascii_lowercase().into()),
            other => other,
        }
    }

    /// Its kind, as texts begin with it, and its name.
    pub(super) fn kind_and_name(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Ip => ("ip", None),
            Self::User => ("user", None),
            Self::UserOrIp => ("user-or-ip", None),
            Self::Global => ("global", None),
            Self::Descriptor => ("descriptor", None),
            Self::Header(name) => ("header", Some(name)),
            Self::Claim(name) => ("claim", Some(name)),
            Self::Cookie(name) => ("cookie", Some(name)),
            Self::Query(name) => ("query", Some(name)),
            Self::Host => ("host", None),
            Self::Segment(name) => ("segment", Some(name)),
            Self::Route => ("route", None),
            Self::Parts(_) => ("parts", None),
        }
    }
}

/// Reads one source, or several with commas between them.
impl FromStr for KeySource {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        match text.split_once(',') {
            None => one_source(text),
            Some(_) => {
                let parts = text.split(',').map(|part| one_source(part.trim()));
                Self::all_of(parts.collect::<Result<Vec<_>, _>>()?)
            }
        }
    }
}

fn one_source(text: &str) -> Result<KeySource, PolicyError> {
    let unknown = || PolicyError::Key(text.to_owned());
    let Some((kind, name)) = text.split_once(':') else {
        return match text {
            "ip" => Ok(KeySource::Ip),
            "user" => Ok(KeySource::User),
            "user-or-ip" => Ok(KeySource::UserOrIp),
            "global" => Ok(KeySource::Global),
            "descriptor" => Ok(KeySource::Descriptor),
            "host" => Ok(KeySource::Host),
            "route" => Ok(KeySource::Route),
            _ => Err(unknown()),
        };
    };
    type Of = (fn(Box<str>) -> KeySource, fn(u8) -> bool);
    let (of, may_stand): Of = match kind {
        "header" => (KeySource::Header, is_token_byte),
        "claim" => (KeySource::Claim, |byte| byte.is_ascii_graphic()),
        "cookie" => (KeySource::Cookie, is_token_byte),
        "query" => (KeySource::Query, |byte| byte.is_ascii_graphic()),
        "segment" => (KeySource::Segment, |byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        _ => return Err(unknown()),
    };
    let is_name = !name.is_empty() && name.bytes().all(may_stand);
    // A header field could have a longer name already before others had any.
    if !is_name || (kind != "header" && name.len() > MAX_KEY_NAME) {
        return Err(PolicyError::KeyName(text.to_owned()));
    }
    Ok(of(name.into()).normal())
}

/// Whether `byte` may stand in a header field's name (RFC 9110, section 5.6.2).
pub(crate) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match part.kind_and_name() {
                (kind, Some(name)) => write!(f, "{kind}:{name}")?,
                (kind, None) => f.write_str(kind)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
