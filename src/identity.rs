//! Who is asking: the identity of a request, for each kind of key.

use std::net::IpAddr;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;

pub use self::client_ip::{
    ClientIp, ForwardingHeader, ForwardingHeaderError, TrustedProxy, TrustedProxyError,
};
use crate::key::Identity;
use crate::policy::{KeySource, Policy};

mod client_ip;

/// The authenticated user of a request, as the host application says.
///
/// An authentication middleware that runs before [`RateLimit`](crate::RateLimit) (that is, one
/// wrapped around it later) puts it into the request's extensions. Only a user that was
/// authenticated belongs there: who can choose the name can spend another's quota.
///
/// ```
/// use actix_web::HttpMessage as _;
/// use actix_web::test::TestRequest;
/// use tollgate::User;
///
/// let request = TestRequest::default().to_srv_request();
/// request.extensions_mut().insert(User::new("1042"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User(Box<[u8]>);

impl User {
    /// The user called `id`, which need not be UTF-8.
    #[must_use]
    pub fn new(id: impl AsRef<[u8]>) -> Self {
        Self(id.as_ref().into())
    }
}

/// The user that the host application put into the request's extensions.
pub(crate) fn user_of(request: &ServiceRequest) -> Option<User> {
    request.extensions().get::<User>().cloned()
}

/// Whose quota `request`, of `user` at `address`, uses under `policy`.
pub(crate) fn identity(
    request: &ServiceRequest,
    user: Option<&User>,
    address: impl Fn() -> Option<IpAddr>,
    policy: &Policy,
) -> Identity {
    let user = || user.map(|User(id)| Identity::user(id));
    let ip = || address().map_or(Identity::NoIp, |it| Identity::ip(it, policy.ipv6_prefix()));
    match policy.key() {
        KeySource::Ip => ip(),
        KeySource::User => user().unwrap_or(Identity::NoUser),
        KeySource::UserOrIp => user().unwrap_or_else(ip),
        KeySource::Global => Identity::Global,
        KeySource::Header(name) => header(request, name),
    }
}

/// The field's whole value: the values of repeated lines are one list (RFC 9110, section 5.3).
fn header(request: &ServiceRequest, name: &str) -> Identity {
    let lines: Vec<&[u8]> = request.headers().get_all(name).map(|line| line.as_bytes()).collect();
    match &lines[..] {
        [] => Identity::NoHeader(name.into()),
        lines => Identity::header(name, lines.join(&b", "[..])),
    }
}

#[cfg(test)]
mod tests;
