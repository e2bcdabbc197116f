//! The authenticated user of a request: a [`User`].

use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::client::{Claims, Client};

/// The authenticated user of a request, as the host application says.
///
/// An authentication middleware that runs before [`RateLimit`](crate::RateLimit) (that is, one
/// wrapped around it later) puts it into the request's extensions. Only a user that was
/// authenticated belongs there: a client that can choose the name can spend the quota of another.
///
/// ```
/// use tollgate::User;
///
/// let user = User::new("1042").with_plan("pro");
/// assert_eq!((user.id(), user.plan()), (&b"1042"[..], Some("pro")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    // Shared, because every request of a user has a clone.
    id: Arc<[u8]>,
    plan: Option<Arc<str>>,
    /// `None` without any, as most users are.
    claims: Option<Arc<Claims>>,
}

impl User {
    /// The user called `id`, which need not be UTF-8.
    #[must_use]
    pub fn new(id: impl AsRef<[u8]>) -> Self {
        Self { id: id.as_ref().into(), plan: None, claims: None }
    }

    /// The same user with `plan`. Policies that have a quota for the plan use it.
    #[must_use]
    pub fn with_plan(self, plan: impl Into<Arc<str>>) -> Self {
        Self { plan: Some(plan.into()), ..self }
    }

    /// The same user, whose verified token has `value` for the claim `name`. Policies whose key is
    /// [`KeySource::Claim`](crate::KeySource::Claim) count by it, and others need none.
    ///
    /// ```
    /// use tollgate::User;
    ///
    /// let user = User::new("1042").with_claim("org", "acme");
    /// assert_eq!(user.claim("org"), Some(&b"acme"[..]));
    /// ```
    #[must_use]
    pub fn with_claim(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let claims = self.claims.map(Arc::unwrap_or_clone).unwrap_or_default();
        Self { claims: Some(Arc::new(claims.with(name, value))), ..self }
    }

    /// The value of the claim `name` of the user's token.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&[u8]> {
        self.claims.as_ref()?.get(name)
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

/// The client of a request from `address`, as `user` if it is authenticated.
pub(crate) fn client<'a>(address: Option<IpAddr>, user: Option<&'a User>) -> Client<'a> {
    let client = address.map_or_else(Client::unknown, Client::at);
    let Some(user) = user else { return client };
    let client = client.with_user(user.id());
    let client = user.plan().map_or(client, |plan| client.with_plan(plan));
    match &user.claims {
        Some(claims) => client.with_claims(claims),
        None => client,
    }
}

#[cfg(test)]
mod tests;
