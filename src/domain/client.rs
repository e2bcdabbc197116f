//! Who sends a request: a [`Client`].

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::domain::key::{Descriptor, Identity};
use crate::domain::policy::{KeySource, Policy};

/// Describes who sends a request. Each policy takes from it whose quota the request uses.
///
/// Only give it users that were authenticated, and addresses that the client cannot forge: a client that
/// can choose them can use up the quota of another.
///
/// ```
/// use tollgate::{Client, Identity, KeySource, Policy};
///
/// let client = Client::at([203, 0, 113, 7].into()).with_user("1042").with_plan("pro");
/// let policy = Policy::new("default", "10/minute".parse()?)?;
/// assert_eq!(client.identity(&policy), Identity::user("1042"));
/// assert_eq!(client.identity(&policy.with_key(KeySource::Global)), Identity::Global);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct Client<'a> {
    address: Option<IpAddr>,
    user: Option<&'a [u8]>,
    plan: Option<&'a str>,
    headers: Option<&'a HeaderField<'a>>,
    descriptor: Option<&'a Descriptor>,
}

/// Finds the whole value of a header field by the field's name in lower case.
type HeaderField<'a> = dyn Fn(&str) -> Option<Cow<'a, [u8]>> + 'a;

impl<'a> Client<'a> {
    /// A client about whom nothing is known.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The client at `address`.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        Self { address: Some(address), ..Self::default() }
    }

    /// The authenticated user `id`, which need not be UTF-8.
    #[must_use]
    pub fn user(id: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self::default().with_user(id)
    }

    /// The same client, at `address`.
    #[must_use]
    pub fn with_address(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

    /// The same client as the authenticated user `id`.
    #[must_use]
    pub fn with_user(self, id: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { user: Some(id.as_ref()), ..self }
    }

    /// The same client, whose user is on `plan`. A plan without a user has no effect.
    #[must_use]
    pub fn with_plan(self, plan: &'a str) -> Self {
        Self { plan: Some(plan), ..self }
    }

    /// The same client with the header fields that it sent: `headers` returns the whole value of a field by
    /// the field's name in lower case.
    #[must_use]
    pub fn with_headers(self, headers: &'a HeaderField<'a>) -> Self {
        Self { headers: Some(headers), ..self }
    }

    /// The same client, of whose request a proxy says this.
    #[must_use]
    pub fn with_descriptor(self, descriptor: &'a Descriptor) -> Self {
        Self { descriptor: Some(descriptor), ..self }
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The user's ID.
    #[must_use]
    pub fn user_id(&self) -> Option<&'a [u8]> {
        self.user
    }

    /// The user's plan; `None` without a user.
    #[must_use]
    pub fn plan(&self) -> Option<&'a str> {
        self.plan.filter(|_| self.user.is_some())
    }

    /// Whose quota the client uses under `policy`.
    #[must_use]
    pub fn identity<'i>(&self, policy: &'i Policy) -> Identity<'i>
    where
        'a: 'i,
    {
        let user = || self.user.map(|id| Identity::User(id.into()));
        let ip = || {
            let of = |address| Identity::ip(address, policy.ipv6_prefix());
            self.address.map_or(Identity::NoIp, of)
        };
        match policy.key() {
            KeySource::Ip => ip(),
            KeySource::User => user().unwrap_or(Identity::NoUser),
            KeySource::UserOrIp => user().unwrap_or_else(ip),
            KeySource::Global => Identity::Global,
            KeySource::Header(name) => match self.headers.and_then(|headers| headers(name)) {
                Some(value) => Identity::Header((&**name).into(), value),
                None => Identity::NoHeader((&**name).into()),
            },
            KeySource::Descriptor => {
                let of = |descriptor| Identity::Descriptor(Cow::Borrowed(descriptor));
                self.descriptor.map_or(Identity::NoDescriptor, of)
            }
        }
    }
}

impl fmt::Debug for Client<'_> {
    /// Leaves out the header fields, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address)
            .field("user", &self.user.map(|id| id.escape_ascii().to_string()))
            .field("plan", &self.plan)
            .field("descriptor", &self.descriptor)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
