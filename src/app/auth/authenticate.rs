//! The middleware that finds out who is asking, before [`RateLimit`](crate::RateLimit) counts by it.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _, HttpResponse};
use bytes::Bytes;

use super::jwt::Unproved;
use super::proofs::Proofs;
use crate::actix::adapter::address_once;
use crate::app::observation::{Authenticated, Counts};
use crate::domain::client::Client;
use crate::http::fields::FieldOptions;
use crate::http::identity::User;
use crate::http::problem;
use crate::limiter::{Admission, Admitting, Failures, Limiter, Policies};

/// Puts the [`User`] of a request into its extensions, and refuses wrong credentials.
///
/// A request without credentials passes, and counts by its address. Wrong credentials are answered 401
/// and charged to the address. When that quota is used up, the answer is 429, and credentials are not
/// read any more.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    proofs: Proofs,
    challenge: Bytes,
    failures: Failures,
    fields: FieldOptions,
    counts: Arc<Counts>,
}

impl Authenticate {
    /// Accepts `proofs`, and charges wrong credentials under the policies `failures` of `limiter`. Tells `counts` how
    /// each attempt ended.
    pub(crate) fn new(
        proofs: Proofs,
        limiter: Limiter,
        failures: Policies,
        fields: FieldOptions,
        counts: Arc<Counts>,
    ) -> Self {
        let challenge = proofs.challenge();
        let failures = Failures::new(limiter, failures);
        Self(Arc::new(Inner { proofs, challenge, failures, fields, counts }))
    }

    /// The plan of the user `id` if all of the user's API keys agree on one.
    pub(crate) fn plan_of_keys(&self, id: &[u8]) -> Option<&str> {
        self.0.proofs.api_keys.as_ref()?.plan_of(id)
    }
}

impl Inner {
    /// The user of `request`; `None` if it names no user.
    ///
    /// # Errors
    /// With the response to a request that is refused.
    async fn user_of(&self, request: &ServiceRequest) -> Result<Option<User>, HttpResponse> {
        if self.failures.is_blocked(|| self.client(request)) {
            // The limiter will refuse it whatever its credentials are, so they are not read.
            return Ok(None);
        }
        match self.proofs.upstream_user(request) {
            Ok(None) => {}
            Ok(user) => {
                self.counts.authenticated(Authenticated::Proved);
                return Ok(user);
            }
            Err(why) => return Err(self.refuse(request, why).await),
        }
        let Some(credential) = self.proofs.credential(request.headers()) else {
            self.counts.authenticated(Authenticated::Anonymous);
            return Ok(None);
        };
        if let Err(refusal) =
            self.admitted(request, self.failures.may_try(&self.client(request))).await
        {
            self.counts.authenticated(Authenticated::TooManyFailures);
            return Err(refusal);
        }
        match self.proofs.user_of(credential) {
            Ok(user) => {
                self.counts.authenticated(Authenticated::Proved);
                Ok(Some(user))
            }
            Err(why) => Err(self.refuse(request, why).await),
        }
    }

    async fn refuse(&self, request: &ServiceRequest, why: Unproved) -> HttpResponse {
        match why {
            // This is not the client's fault, and no guess can succeed meanwhile.
            Unproved::NoKeys => {
                self.counts.authenticated(Authenticated::Unverifiable);
                problem::unverifiable(request).into()
            }
            Unproved::Wrong(reason) => {
                log::debug!("Credentials are refused: {reason}.");
                self.counts.authenticated(Authenticated::Wrong);
                let charged = self.failures.charge(&self.client(request));
                if let Err(refusal) = self.admitted(request, charged).await {
                    return refusal;
                }
                problem::unauthorized(request, self.challenge.clone()).into()
            }
        }
    }

    /// The client of `request`, by its address alone.
    fn client(&self, request: &ServiceRequest) -> Client<'static> {
        address_once(&self.proofs.client_ip, request).map_or_else(Client::unknown, Client::at)
    }

    /// Waits until the limiter has decided about an attempt.
    ///
    /// # Errors
    /// With the response to an attempt that is refused.
    async fn admitted(
        &self,
        request: &ServiceRequest,
        admitting: Admitting,
    ) -> Result<(), HttpResponse> {
        match admitting.await {
            Admission::Passes(_) => Ok(()),
            Admission::Refused(refused) => {
                Err(problem::refusal(request, &refused, self.fields).into())
            }
        }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Authenticate
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthenticateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AuthenticateService { service: Rc::new(service), inner: self.0.clone() }))
    }
}

/// The service that [`Authenticate`] makes of another.
#[derive(Debug)]
pub(crate) struct AuthenticateService<S> {
    service: Rc<S>,
    inner: Arc<Inner>,
}

impl<S, B> Service<ServiceRequest> for AuthenticateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, inner) = (self.service.clone(), self.inner.clone());
        Box::pin(async move {
            match inner.user_of(&request).await {
                Ok(Some(user)) => _ = request.extensions_mut().insert(user),
                Ok(None) => {}
                Err(response) => return Ok(request.into_response(response).map_into_right_body()),
            }
            service.call(request).await.map(ServiceResponse::map_into_left_body)
        })
    }
}

#[cfg(test)]
mod tests;
