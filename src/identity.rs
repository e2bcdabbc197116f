//! Who is asking: the identity of a request, for each kind of key.

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;

#[cfg(feature = "server")]
pub(crate) use self::client_ip::ClientIp;
use crate::key::Identity;
use crate::policy::KeySource;

#[cfg(feature = "server")]
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
pub struct User {
    id: Box<[u8]>,
    plan: Option<Box<str>>,
}

impl User {
    /// The user called `id`, which need not be UTF-8.
    #[must_use]
    pub fn new(id: impl AsRef<[u8]>) -> Self {
        Self { id: id.as_ref().into(), plan: None }
    }

    /// The same user, who has booked `plan`.
    #[must_use]
    pub fn with_plan(self, plan: impl Into<Box<str>>) -> Self {
        Self { plan: Some(plan.into()), ..self }
    }

    /// The plan that the user has booked.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }
}

/// The user that the host application put into the request's extensions.
pub(crate) fn user_of(request: &ServiceRequest) -> Option<User> {
    request.extensions().get::<User>().cloned()
}

/// Whose quota `request` of `user` uses under a policy keyed by `source`.
pub(crate) fn identity(
    request: &ServiceRequest,
    user: Option<&User>,
    source: &KeySource,
) -> Identity {
    let user = || user.map(|user| Identity::user(&user.id));
    let ip = || {
        let peer = request.peer_addr();
        peer.map_or(Identity::NoIp, |address| Identity::ip(address.ip()))
    };
    match source {
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
