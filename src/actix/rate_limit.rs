//! The middleware: admits each request, and adds header fields to its response.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_rt::Arbiter;
use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::HeaderName;

use super::adapter::{address_once, field, host_of, user_of};
use super::answering::Answering;
use super::held_body::HeldBody;
use crate::domain::client::Client;
use crate::domain::quota::Cost;
use crate::http::answers::Answers;
use crate::http::client_ip::ClientIp;
use crate::http::identity::{User, client};
use crate::http::preflight::is_preflight;
use crate::http::request_id::request_id;
use crate::limiter::{Incoming, Limiter, LimiterError, Policies};
use crate::store::DeferTask;

mod telling;

/// Limits the requests of an `App`, a scope or a resource.
///
/// Requests are charged under the policies of their route, which the limiter finds by method and path (see
/// [`RoutePattern`](crate::RoutePattern)), or under those of [`policies`](Self::policies). A denied request
/// gets 429, and a blocked client gets 403. Neither request reaches the app.
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
    /// Names of the header fields that policies count by, sorted.
    headers: Arc<[HeaderName]>,
    policies: Option<Policies>,
    client_ip: ClientIp,
    user: OfRequest<Option<User>>,
    cost: Option<OfRequest<Cost>>,
    skip: OfRequest<bool>,
    answers: Answers,
    /// The field in which a trusted proxy sends the ID of a request.
    request_id: Option<HeaderName>,
}

/// A function of the host application over a request.
type OfRequest<T> = Arc<dyn Fn(&ServiceRequest) -> T + Send + Sync>;

impl RateLimit {
    /// Charges every request the cost of its route under the policies of its route. The user is the [`User`] in the
    /// request's extensions, and the address is that of the connection.
    ///
    /// ```
    /// use actix_web::HttpMessage as _;
    /// # use actix_web::test::TestRequest;
    /// use tollgate::User;
    ///
    /// // In a middleware that is wrapped around this one:
    /// # let request = TestRequest::default().to_srv_request();
    /// request.extensions_mut().insert(User::new("1042").with_plan("pro"));
    /// ```
    #[must_use]
    pub fn new(limiter: Limiter) -> Self {
        let names = limiter.key_headers();
        let headers = names.filter_map(|name| name.parse().ok()).collect();
        Self {
            limiter,
            headers,
            policies: None,
            client_ip: ClientIp::peer(),
            user: Arc::new(user_of),
            cost: None,
            skip: Arc::new(|_| false),
            answers: Answers::default(),
            request_id: None,
        }
    }

    /// Charges every request under the policies called `names`, whatever its method and path.
    ///
    /// # Errors
    /// When the limiter has no policy of such a name, or one is named twice.
    pub fn policies<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, LimiterError> {
        Ok(Self { policies: Some(self.limiter.policies(names)?), ..self })
    }

    /// Finds the client's address by `client_ip`. Behind proxies, the address of the connection is a proxy's.
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

    /// Charges a request the cost that `cost` returns, instead of the cost of its route.
    #[must_use]
    pub fn cost(self, cost: impl Fn(&ServiceRequest) -> Cost + Send + Sync + 'static) -> Self {
        Self { cost: Some(Arc::new(cost)), ..self }
    }

    /// Lets a request pass unchecked if `skip` returns true, unless its client is blocked.
    #[must_use]
    pub fn skip(self, skip: impl Fn(&ServiceRequest) -> bool + Send + Sync + 'static) -> Self {
        Self { skip: Arc::new(skip), ..self }
    }

    /// Takes the ID of a request from the header field `name`, for an [`Observer`](crate::Observer) that wants it.
    ///
    /// Only a trusted proxy of [`client_ip`](Self::client_ip) is believed, and only an ID of at most 64 visible ASCII
    /// characters. Without this no request has an ID.
    #[must_use]
    pub fn request_id_header(self, name: HeaderName) -> Self {
        Self { request_id: Some(name), ..self }
    }
}

/// A request, as its app's [`RateLimit`] sees it.
struct Seen<'a> {
    request: &'a ServiceRequest,
    rate_limit: &'a RateLimit,
}

impl Incoming for Seen<'_> {
    fn door(&self) -> &'static str {
        "actix"
    }

    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn path(&self) -> &str {
        self.request.match_info().as_str()
    }

    fn request_id(&self) -> Option<Cow<'_, str>> {
        let name = self.rate_limit.request_id.as_ref()?;
        request_id(self.request, name.as_str(), &self.rate_limit.client_ip).map(Cow::Borrowed)
    }

    fn is_skipped(&self) -> bool {
        (self.rate_limit.skip)(self.request)
    }

    fn settles(&self) -> bool {
        true
    }

    fn is_preflight(&self) -> bool {
        let headers = self.request.headers();
        is_preflight(self.method(), |name| headers.contains_key(name))
    }

    fn policies(&self) -> Option<&Policies> {
        self.rate_limit.policies.as_ref()
    }

    fn cost(&self) -> Option<Cost> {
        self.rate_limit.cost.as_ref().map(|cost| cost(self.request))
    }

    fn with_client<T>(&self, ask: impl FnOnce(&Client<'_>) -> T) -> T {
        let Self { request, rate_limit } = self;
        let user = (rate_limit.user)(request);
        let headers = |name: &str| {
            let names = &rate_limit.headers;
            let at = names.binary_search_by(|it| it.as_str().cmp(name)).ok()?;
            field(request, &names[at])
        };
        let found = OnceCell::new();
        let find = || address_once(&rate_limit.client_ip, request.request());
        let address = || *found.get_or_init(find);
        let client = client(None, user.as_ref()).with_address_by(&address).with_headers(&headers);
        let client = match rate_limit.limiter.counts_by_query() {
            true => client.with_query(request.query_string()),
            false => client,
        };
        ask(&match rate_limit.limiter.counts_by_host().then(|| host_of(request)).flatten() {
            Some(host) => client.with_host(host),
            None => client,
        })
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("limiter", &self.limiter)
            .field("policies", &self.policies)
            .field("client_ip", &self.client_ip)
            .field("answers", &self.answers)
            .finish_non_exhaustive()
    }
}

impl<S, B> Transform<S, ServiceRequest> for RateLimit
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<HeldBody<B>>>;
    type Error = Error;
    type Transform = RateLimitService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        if let Some(worker) = Arbiter::try_current() {
            worker.spawn(DeferTask::default());
        }
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
    type Response = ServiceResponse<EitherBody<HeldBody<B>>>;
    type Error = Error;
    type Future = Answering<S, B>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let rate_limit = &self.rate_limit;
        let answers = &rate_limit.answers;
        let seen = Seen { request: &request, rate_limit };
        let admitting = rate_limit.limiter.admit(&seen);
        let settler = rate_limit.limiter.settler();
        match admitting.now() {
            Ok(admission) => {
                let telling = answers.about(&admission, || seen.request_id());
                Answering::of(&*self.service, request, admission, settler, &telling)
            }
            Err(deciding) => {
                let telling = answers.to(|| seen.request_id());
                Answering::later(self.service.clone(), request, deciding, settler, telling)
            }
        }
    }
}

#[cfg(test)]
mod tests;
