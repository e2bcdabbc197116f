//! The middleware: a check before each request, and its fields on the way out.

use std::cell::OnceCell;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};

use crate::decision::Decision;
use crate::headers::{self, FieldOptions};
use crate::identity::{ClientIp, User, identity, user_of};
use crate::limiter::{Check, Limiter, LimiterError, Policies};
use crate::problem;
use crate::quota::Cost;

/// Limits the requests of an `App`, a scope or a resource.
///
/// Requests are charged under the policies of their route, as the limiter lists it by path, or under
/// those of [`policies`](Self::policies). A denied request is answered 429 and goes no further.
///
/// ```
/// use std::sync::Arc;
/// use actix_web::{App, HttpResponse, web};
/// use tollgate::{Limiter, MemoryStore, Policy, RateLimit};
///
/// let limiter = Limiter::builder(Arc::new(MemoryStore::new(100_000)))
///     .policy(Policy::new("default", "10/minute".parse()?)?)
///     .build()?;
/// let rate_limit = RateLimit::new(limiter).policies(["default"])?;
/// let app = App::new()
///     .wrap(rate_limit)
///     .route("/", web::get().to(HttpResponse::Ok));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RateLimit {
    limiter: Limiter,
    policies: Option<Policies>,
    client_ip: ClientIp,
    user: OfRequest<Option<User>>,
    cost: OfRequest<Cost>,
    skip: OfRequest<bool>,
    fields: FieldOptions,
}

/// What the host application says of a request.
type OfRequest<T> = Arc<dyn Fn(&ServiceRequest) -> T + Send + Sync>;

impl RateLimit {
    /// Charges every request one unit under the policies of its route; the user is the [`User`] in
    /// the request's extensions, and the address that of the connection.
    #[must_use]
    pub fn new(limiter: Limiter) -> Self {
        Self {
            limiter,
            policies: None,
            client_ip: ClientIp::peer(),
            user: Arc::new(user_of),
            cost: Arc::new(|_| Cost::ONE),
            skip: Arc::new(|_| false),
            fields: FieldOptions::default(),
        }
    }

    /// Charges every request under the policies called `names`, whatever its path.
    ///
    /// # Errors
    /// When the limiter has no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, LimiterError> {
        Ok(Self { policies: Some(self.limiter.policies(names)?), ..self })
    }

    /// Finds the client's address by `client_ip`: behind proxies, the connection is theirs.
    #[must_use]
    pub fn client_ip(self, client_ip: ClientIp) -> Self {
        Self { client_ip, ..self }
    }

    /// Takes the authenticated user from `user` instead of the request's extensions.
    #[must_use]
    pub fn user(
        self,
        user: impl Fn(&ServiceRequest) -> Option<User> + Send + Sync + 'static,
    ) -> Self {
        Self { user: Arc::new(user), ..self }
    }

    /// Charges a request what `cost` says.
    #[must_use]
    pub fn cost(self, cost: impl Fn(&ServiceRequest) -> Cost + Send + Sync + 'static) -> Self {
        Self { cost: Arc::new(cost), ..self }
    }

    /// Lets the requests pass unchecked for which `skip` holds.
    #[must_use]
    pub fn skip(self, skip: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static) -> Self {
        Self { skip: Arc::new(skip), ..self }
    }

    /// Sends `X-RateLimit-Limit`, `-Remaining` and `-Reset` as well.
    #[must_use]
    pub fn legacy_headers(mut self, legacy: bool) -> Self {
        self.fields.legacy = legacy;
        self
    }

    /// Names the fields in `Access-Control-Expose-Headers`, so that scripts in browsers may read them.
    #[must_use]
    pub fn expose_headers(mut self, expose: bool) -> Self {
        self.fields.cors_expose = expose;
        self
    }

    /// What is to be decided before `request` may pass.
    fn plan(&self, request: &ServiceRequest) -> Plan {
        if (self.skip)(request) {
            return Plan::default();
        }
        let (policies, peek) = match &self.policies {
            Some(policies) => (policies, None),
            // The path as the router reads it: an encoded letter must not lead around the limit.
            None => match self.limiter.route(request.match_info().as_str()) {
                Some(route) => (&route.policies, Some(&route.peek)),
                None => return Plan::default(),
            },
        };
        let user = (self.user)(request);
        let known = OnceCell::new();
        let address = || *known.get_or_init(|| self.client_ip.address(request));
        let identity = |policy: &_| identity(request, user.as_ref(), address, policy);
        let cost = (self.cost)(request);
        Plan {
            check: (!policies.is_empty()).then(|| self.limiter.check(policies, cost, identity)),
            peek: peek
                .filter(|peek| !peek.is_empty())
                .map(|peek| self.limiter.peek(peek, cost, identity)),
        }
    }
}

/// Nothing of both: the request passes, and is told nothing.
#[derive(Default)]
struct Plan {
    check: Option<Check>,
    peek: Option<Check>,
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("limiter", &self.limiter)
            .field("policies", &self.policies)
            .field("client_ip", &self.client_ip)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for RateLimit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RateLimitService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RateLimitService { service: Rc::new(service), rate_limit: self.clone() }))
    }
}

/// The service that [`RateLimit`] makes of another.
#[doc(hidden)]
#[derive(Debug)]
pub struct RateLimitService<S> {
    service: Rc<S>,
    rate_limit: RateLimit,
}

impl<S, B> Service<ServiceRequest> for RateLimitService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let plan = self.rate_limit.plan(&request);
        let service = self.service.clone();
        let fields = self.rate_limit.fields;
        Box::pin(async move {
            let mut told = Vec::with_capacity(2);
            if let Some(check) = plan.check {
                match check.await {
                    Ok(decision) if decision.is_allowed() => told.push(decision),
                    Ok(denied) => return Ok(deny(request, &denied, fields)),
                    Err(_) => {
                        let mut response = problem::reduced_capacity(&request);
                        headers::expose(response.headers_mut(), fields);
                        return Ok(request.into_response(response).map_into_right_body());
                    }
                }
            }
            if let Some(peek) = plan.peek {
                // A standing that cannot be had is not worth a refusal.
                told.extend(peek.await.ok());
            }
            let mut response = service.call(request).await?;
            for decision in &told {
                headers::write(response.headers_mut(), decision, fields);
            }
            Ok(response.map_into_left_body())
        })
    }
}

fn deny<B>(
    request: ServiceRequest,
    denied: &Decision,
    fields: FieldOptions,
) -> ServiceResponse<EitherBody<B>> {
    let mut response = problem::quota_exceeded(&request, denied);
    headers::write(response.headers_mut(), denied, fields);
    request.into_response(response).map_into_right_body()
}

#[cfg(test)]
mod tests;
