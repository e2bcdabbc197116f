//! Who is asking: what is known of a request's client.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::AsHeaderName;

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
/// request.extensions_mut().insert(User::new("1042").with_plan("pro"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    // Shared, since every request of a user has a clone.
    id: Arc<[u8]>,
    plan: Option<Arc<str>>,
}

impl User {
    /// The user called `id`, which need not be UTF-8.
    #[must_use]
    pub fn new(id: impl AsRef<[u8]>) -> Self {
        Self { id: id.as_ref().into(), plan: None }
    }

    /// The same user, of `plan`: the policies that know the plan have a quota for it.
    #[must_use]
    pub fn with_plan(self, plan: impl Into<Arc<str>>) -> Self {
        Self { plan: Some(plan.into()), ..self }
    }

    /// The user's plan.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// The user's ID.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }
}

/// The user that the host application put into the request's extensions.
pub(crate) fn user_of(request: &ServiceRequest) -> Option<User> {
    request.extensions().get::<User>().cloned()
}

/// The whole value of a request's header field: the values of repeated lines are one list (RFC 9110,
/// section 5.3).
pub(crate) fn header<'a>(
    request: &'a ServiceRequest,
    name: impl AsHeaderName,
) -> Option<Cow<'a, [u8]>> {
    let mut lines = request.headers().get_all(name).map(|line| line.as_bytes());
    let mut value = Cow::Borrowed(lines.next()?);
    for line in lines {
        value.to_mut().extend([b", ", line].concat());
    }
    Some(value)
}

#[cfg(test)]
mod tests;
