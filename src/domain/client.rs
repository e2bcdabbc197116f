//! Who sends a request: a [`Client`].

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

pub use self::claims::Claims;
use self::cookie::cookie;
pub(crate) use self::matched::Matched;
use self::query::parameter;
use crate::domain::key::{Descriptor, Identity, IdentityParts, Ipv6Prefix, normal_host};
use crate::domain::policy::{KeySource, Policy};

mod claims;
mod cookie;
mod matched;
mod query;

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
    /// Finds the address, if it was not given.
    address_by: Option<&'a FindAddress<'a>>,
    user: Option<&'a [u8]>,
    plan: Option<&'a str>,
    headers: Option<&'a HeaderField<'a>>,
    descriptor: Option<&'a Descriptor>,
    claims: Option<&'a Claims>,
    query: Option<&'a str>,
    host: Option<&'a str>,
    route: Option<Matched<'a>>,
}

/// Finds the address that a request comes from.
type FindAddress<'a> = dyn Fn() -> Option<IpAddr> + 'a;

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

    /// The same client, whose address `find` finds. It is called only if the address matters, and perhaps more than once.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn with_address_by(self, find: &'a FindAddress<'a>) -> Self {
        Self { address_by: Some(find), ..self }
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

    /// The same client, whose verified token has these claims.
    #[must_use]
    pub fn with_claims(self, claims: &'a Claims) -> Self {
        Self { claims: Some(claims), ..self }
    }

    /// The same client, whose request has this query: what stands after the `?` of its target, encoded as it was sent.
    #[must_use]
    pub fn with_query(self, query: &'a str) -> Self {
        Self { query: Some(query), ..self }
    }

    /// The same client, whose request is for this host. It may have a port, as in the field `Host`.
    #[must_use]
    pub fn with_host(self, host: &'a str) -> Self {
        Self { host: Some(host), ..self }
    }

    /// The same client, whose request takes the route of `pattern`, such as `GET /items/{id}`, by its `path`. A limiter
    /// with routes of its own finds it itself.
    #[must_use]
    pub fn with_route(self, pattern: &'a str, path: &'a str) -> Self {
        Self { route: Some(Matched { pattern, path }), ..self }
    }

    /// Calls `ask` with the same client on this route, which may be gone sooner than the client.
    #[inline(never)]
    pub(crate) fn on_route<T>(&self, route: Matched<'_>, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let headers = |name: &str| self.headers.and_then(|headers| headers(name));
        ask(&Client {
            address: self.address,
            address_by: self.address_by,
            user: self.user,
            plan: self.plan,
            headers: Some(&headers),
            descriptor: self.descriptor,
            claims: self.claims,
            query: self.query,
            host: self.host,
            route: Some(route),
        })
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address.or_else(|| self.address_by?())
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
        match policy.key() {
            KeySource::Parts(_) => {
                let of = |part| self.identity_by(part, policy.ipv6_prefix());
                Identity::Parts(IdentityParts::in_order(policy.key().parts().iter().map(of)))
            }
            source => self.identity_by(source, policy.ipv6_prefix()),
        }
    }

    /// Who it is by `source`, which has no parts.
    fn identity_by<'i>(&self, source: &'i KeySource, ipv6_prefix: Ipv6Prefix) -> Identity<'i>
    where
        'a: 'i,
    {
        let user = || self.user.map(|id| Identity::User(id.into()));
        let ip = || {
            let of = |address| Identity::ip(address, ipv6_prefix);
            self.address().map_or(Identity::NoIp, of)
        };
        let header = |name: &str| self.headers.and_then(|headers| headers(name));
        match source {
            KeySource::Ip => ip(),
            KeySource::User => user().unwrap_or(Identity::NoUser),
            KeySource::UserOrIp => user().unwrap_or_else(ip),
            KeySource::Global => Identity::Global,
            KeySource::Header(name) => match header(name) {
                Some(value) => Identity::Header((&**name).into(), value),
                None => Identity::NoHeader((&**name).into()),
            },
            KeySource::Descriptor => {
                let of = |descriptor| Identity::Descriptor(Cow::Borrowed(descriptor));
                self.descriptor.map_or(Identity::NoDescriptor, of)
            }
            KeySource::Claim(name) => match self.claims.and_then(|claims| claims.get(name)) {
                Some(value) => Identity::Claim((&**name).into(), value.into()),
                None => Identity::NoClaim((&**name).into()),
            },
            KeySource::Cookie(name) => match header("cookie").and_then(|it| cookie(it, name)) {
                Some(value) => Identity::Cookie((&**name).into(), value),
                None => Identity::NoCookie((&**name).into()),
            },
            KeySource::Query(name) => match self.query.and_then(|it| parameter(it, name)) {
                Some(value) => Identity::Query((&**name).into(), value),
                None => Identity::NoQuery((&**name).into()),
            },
            KeySource::Host => {
                self.host.and_then(normal_host).map_or(Identity::NoHost, Identity::Host)
            }
            KeySource::Segment(name) => match self.route.and_then(|route| route.segment(name)) {
                Some(value) => Identity::Segment((&**name).into(), value),
                None => Identity::NoSegment((&**name).into()),
            },
            KeySource::Route => match self.route {
                Some(route) => Identity::Route(route.pattern.into()),
                None => Identity::NoRoute,
            },
            // A part has no parts.
            KeySource::Parts(_) => Identity::Global,
        }
    }
}

impl fmt::Debug for Client<'_> {
    /// Leaves out the header fields and the query, which may hold a credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("user", &self.user.map(|id| id.escape_ascii().to_string()))
            .field("plan", &self.plan)
            .field("descriptor", &self.descriptor)
            .field("claims", &self.claims)
            .field("host", &self.host)
            .field("route", &self.route.map(|route| route.pattern))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
