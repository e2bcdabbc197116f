//! The middleware that serves each request under the snapshot that is in force when it begins.

use std::cell::RefCell;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use pin_project_lite::pin_project;

use crate::actix::held_body::HeldBody;
use crate::actix::rate_limit::{RateLimit, RateLimitService};
use crate::app::assemble::{CurrentSnapshot, Snapshot};
use crate::app::auth::AuthenticateService;

/// Authenticates and limits each request as the snapshot says that is in force when it begins.
#[derive(Debug)]
pub(super) struct UnderSnapshot(CurrentSnapshot);

impl UnderSnapshot {
    pub(super) fn new(current: CurrentSnapshot) -> Self {
        Self(current)
    }
}

impl<S, B> Transform<S, ServiceRequest> for UnderSnapshot
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<HeldBody<B>>>;
    type Error = Error;
    type Transform = UnderSnapshotService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let (current, service) = (self.0.clone(), Rc::new(service));
        let chain = Chain::new(current.load().clone(), service.clone());
        let serve = |chain| {
            let chain = RefCell::new(Rc::new(chain));
            UnderSnapshotService { current, service, chain }
        };
        ready(chain.map(serve))
    }
}

/// The service that [`UnderSnapshot`] makes of another, once for each worker.
#[derive(Debug)]
pub(super) struct UnderSnapshotService<S> {
    current: CurrentSnapshot,
    service: Rc<S>,
    /// The middleware of the snapshot that was in force last.
    chain: RefCell<Rc<Chain<S>>>,
}

/// The middleware that one snapshot asks for, around the service.
#[derive(Debug)]
struct Chain<S> {
    snapshot: Arc<Snapshot>,
    middleware: Middleware<S>,
}

#[derive(Debug)]
enum Middleware<S> {
    /// Nothing proves a user.
    Limited(RateLimitService<Rc<S>>),
    /// The limiter needs to know who is asking, so authentication comes first.
    Authenticated(AuthenticateService<RateLimitService<Rc<S>>>),
}

impl<S, B> Chain<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    fn new(snapshot: Arc<Snapshot>, service: Rc<S>) -> Result<Self, ()> {
        let rate_limit = RateLimit::new(snapshot.limiter.clone())
            .client_ip(snapshot.client_ip.clone())
            .answering(snapshot.answers.clone());
        let rate_limit = match &snapshot.request_id_header {
            Some(name) => rate_limit.request_id_header(name.clone()),
            None => rate_limit,
        };
        let limited = rate_limit.new_transform(service).into_inner()?;
        let middleware = match &snapshot.authenticate {
            None => Middleware::Limited(limited),
            Some(it) => Middleware::Authenticated(it.new_transform(limited).into_inner()?),
        };
        Ok(Self { snapshot, middleware })
    }
}

impl<S, B> UnderSnapshotService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    /// The middleware of the snapshot that is in force now.
    fn chain(&self) -> Rc<Chain<S>> {
        let snapshot = self.current.load();
        let chain = self.chain.borrow().clone();
        if Arc::ptr_eq(&snapshot, &chain.snapshot) {
            return chain;
        }
        let Ok(new) = Chain::new(snapshot.clone(), self.service.clone()) else { return chain };
        let new = Rc::new(new);
        self.chain.replace(new.clone());
        new
    }
}

impl<S, B> Service<ServiceRequest> for UnderSnapshotService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<HeldBody<B>>>;
    type Error = Error;
    type Future = Serving<
        <RateLimitService<Rc<S>> as Service<ServiceRequest>>::Future,
        <AuthenticateService<RateLimitService<Rc<S>>> as Service<ServiceRequest>>::Future,
    >;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match &self.chain().middleware {
            Middleware::Limited(it) => Serving::Limited { response: it.call(request) },
            Middleware::Authenticated(it) => Serving::Authenticated { response: it.call(request) },
        }
    }
}

pin_project! {
    /// The response to a request, with or without authentication.
    #[doc(hidden)]
    #[project = ServingProjection]
    pub(super) enum Serving<L, A> {
        Limited { #[pin] response: L },
        Authenticated { #[pin] response: A },
    }
}

impl<L, A, B> Future for Serving<L, A>
where
    L: Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>,
    A: Future<Output = Result<ServiceResponse<EitherBody<EitherBody<B>>>, Error>>,
{
    type Output = L::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            ServingProjection::Limited { response } => response.poll(context),
            ServingProjection::Authenticated { response } => {
                response.poll(context).map(|response| Ok(response?.map_body(|_, body| flat(body))))
            }
        }
    }
}

/// The body of a response, or that of a refusal, whoever refused.
fn flat<B>(body: EitherBody<EitherBody<B>>) -> EitherBody<B> {
    match body {
        EitherBody::Left { body } => body,
        EitherBody::Right { body } => EitherBody::right(body),
    }
}

#[cfg(test)]
mod tests;
