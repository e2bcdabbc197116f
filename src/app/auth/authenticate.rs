//! Finds out who is asking, before the limiter counts by it: as a middleware, and for the gate.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use bytes::Bytes;

use super::jwt::Unproved;
use super::proofs::Proofs;
use crate::actix::adapter::address_once;
use crate::app::observation::{Authenticated, Counts};
use crate::domain::client::Client;
use crate::http::ClientIp;
use crate::http::answers::Answers;
use crate::http::identity::User;
use crate::http::problem::{self, Refusal};
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
    answers: Answers,
    counts: Arc<Counts>,
}

impl Authenticate {
    /// Accepts `proofs`, and charges wrong credentials under the policies `failures` of `limiter`. Tells `counts` how
    /// each attempt ended.
    pub(crate) fn new(
        proofs: Proofs,
        limiter: Limiter,
        failures: Policies,
        answers: Answers,
        counts: Arc<Counts>,
    ) -> Self {
        let challenge = proofs.challenge();
        let failures = Failures::new(limiter, failures);
        Self(Arc::new(Inner { proofs, challenge, failures, answers, counts }))
    }

    /// The plan of the user `id` if all of the user's API keys agree on one.
    pub(crate) fn plan_of_keys(&self, id: &[u8]) -> Option<&str> {
        self.0.proofs.api_keys.as_ref()?.plan_of(id)
    }

    /// The user of `request`; `None` if it names no user. `client_ip` finds its client, and says which proxies may name
    /// the user.
    ///
    /// # Errors
    /// With the refusal of a request whose credentials prove nobody.
    pub(crate) async fn user_of(
        &self,
        request: &HttpRequest,
        client_ip: &ClientIp,
    ) -> Result<Option<User>, Refusal> {
        Attempt { inner: &self.0, request, client_ip }.user().await
    }
}

/// One request whose user is to be found.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    inner: &'a Inner,
    request: &'a HttpRequest,
    client_ip: &'a ClientIp,
}

impl Attempt<'_> {
    async fn user(self) -> Result<Option<User>, Refusal> {
        let Self { inner: Inner { proofs, failures, counts, .. }, request, client_ip } = self;
        if failures.is_blocked(|| self.client()) {
            // The limiter will refuse it whatever its credentials are, so they are not read.
            return Ok(None);
        }
        match proofs.upstream_user(request, client_ip) {
            Ok(None) => {}
            Ok(user) => {
                counts.authenticated(Authenticated::Proved);
                return Ok(user);
            }
            Err(why) => return Err(self.refuse(why).await),
        }
        let Some(credential) = proofs.credential(request.headers()) else {
            counts.authenticated(Authenticated::Anonymous);
            return Ok(None);
        };
        if let Err(refusal) = self.admitted(failures.may_try(&self.client())).await {
            counts.authenticated(Authenticated::TooManyFailures);
            return Err(refusal);
        }
        match proofs.user_of(credential) {
            Ok(user) => {
                counts.authenticated(Authenticated::Proved);
                Ok(Some(user))
            }
            Err(why) => Err(self.refuse(why).await),
        }
    }

    async fn refuse(self, why: Unproved) -> Refusal {
        let Self { inner: Inner { challenge, failures, counts, .. }, request, .. } = self;
        match why {
            // This is not the client's fault, and no guess can succeed meanwhile.
            Unproved::NoKeys => {
                counts.authenticated(Authenticated::Unverifiable);
                problem::unverifiable(request)
            }
            Unproved::Wrong(reason) => {
                log::debug!("Credentials are refused: {reason}.");
                counts.authenticated(Authenticated::Wrong);
                let charged = failures.charge(&self.client());
                if let Err(refusal) = self.admitted(charged).await {
                    return refusal;
                }
                problem::unauthorized(request, challenge.clone())
            }
        }
    }

    /// The client, by its address alone.
    fn client(self) -> Client<'static> {
        address_once(self.client_ip, self.request).map_or_else(Client::unknown, Client::at)
    }

    /// Waits until the limiter has decided about the attempt.
    ///
    /// # Errors
    /// With the refusal, if it may not be made.
    async fn admitted(self, admitting: Admitting) -> Result<(), Refusal> {
        match admitting.await {
            Admission::Passes(_) => Ok(()),
            Admission::Refused(refused) => {
                Err(problem::refusal(self.request, &refused, &self.inner.answers.to(|| None)))
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
        ready(Ok(AuthenticateService { service: Rc::new(service), authenticate: self.clone() }))
    }
}

/// The service that [`Authenticate`] makes of another.
#[derive(Debug)]
pub(crate) struct AuthenticateService<S> {
    service: Rc<S>,
    authenticate: Authenticate,
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
        let (service, authenticate) = (self.service.clone(), self.authenticate.clone());
        Box::pin(async move {
            let client_ip = &authenticate.0.proofs.client_ip;
            match authenticate.user_of(request.request(), client_ip).await {
                Ok(Some(user)) => _ = request.extensions_mut().insert(user),
                Ok(None) => {}
                Err(refusal) => {
                    let response = request.into_response(HttpResponse::from(refusal));
                    return Ok(response.map_into_right_body());
                }
            }
            service.call(request).await.map(ServiceResponse::map_into_left_body)
        })
    }
}

#[cfg(test)]
mod tests;
