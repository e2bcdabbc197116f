//! The middleware: who is asking, before [`RateLimit`](crate::RateLimit) counts by it.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{Error, HttpMessage as _, HttpResponse};

use super::jwt::Unproved;
use super::proofs::Proofs;
use crate::domain::client::Client;
use crate::http::fields::FieldOptions;
use crate::http::identity::User;
use crate::http::problem;
use crate::limiter::{Access, Limiter, Policies};

/// Puts the [`User`] of a request into its extensions, and refuses what proves nobody.
///
/// A request without credentials passes, as its address's own. Wrong ones are answered 401 and
/// charged to the address; when that quota is used up, 429 comes before any are looked at.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    proofs: Proofs,
    challenge: HeaderValue,
    limiter: Limiter,
    failures: Policies,
    fields: FieldOptions,
}

impl Authenticate {
    /// Takes `proofs`, and charges wrong ones under the policies `failures` of `limiter`.
    pub(crate) fn new(
        proofs: Proofs,
        limiter: Limiter,
        failures: Policies,
        fields: FieldOptions,
    ) -> Self {
        let challenge = proofs.challenge();
        Self(Arc::new(Inner { proofs, challenge, limiter, failures, fields }))
    }
}

impl Inner {
    /// The user of `request`, or nobody where it names none.
    ///
    /// # Errors
    /// With the answer to a request that is refused.
    async fn user_of(&self, request: &ServiceRequest) -> Result<Option<User>, HttpResponse> {
        let is_blocked = || self.limiter.access(&self.client(request)) == Access::Blocked;
        if self.limiter.has_access_lists() && is_blocked() {
            // The limit refuses it, whoever it is: neither the store nor a credential matters.
            return Ok(None);
        }
        match self.proofs.upstream_user(request) {
            Ok(None) => {}
            Ok(user) => return Ok(user),
            Err(why) => return Err(self.refuse(request, why).await),
        }
        let Some(credential) = self.proofs.credential(request.headers()) else {
            return Ok(None);
        };
        self.failures_left(request, Ask::Peek).await?;
        match self.proofs.user_of(credential) {
            Ok(user) => Ok(Some(user)),
            Err(why) => Err(self.refuse(request, why).await),
        }
    }

    async fn refuse(&self, request: &ServiceRequest, why: Unproved) -> HttpResponse {
        match why {
            // That is no fault of the client's, and no guess of one can be right.
            Unproved::NoKeys => problem::unverifiable(request),
            Unproved::Wrong(reason) => {
                log::debug!("Credentials are refused: {reason}.");
                if let Err(closed) = self.failures_left(request, Ask::Charge).await {
                    return closed;
                }
                let mut response = problem::unauthorized(request);
                response.headers_mut().insert(WWW_AUTHENTICATE, self.challenge.clone());
                response
            }
        }
    }

    /// Whoever sends `request`, by address alone.
    fn client(&self, request: &ServiceRequest) -> Client<'static> {
        self.proofs.client_ip.address_once(request).map_or_else(Client::unknown, Client::at)
    }

    /// Whether the address of `request` may be wrong once more.
    ///
    /// # Errors
    /// With the answer where it may not, or where that cannot be told.
    async fn failures_left(&self, request: &ServiceRequest, ask: Ask) -> Result<(), HttpResponse> {
        let client = self.client(request);
        let check = match ask {
            Ask::Peek => self.limiter.peek_gate(&self.failures, &client),
            Ask::Charge => self.limiter.charge_gate(&self.failures, &client),
        };
        match check.await {
            Ok(decision) if decision.is_allowed() => Ok(()),
            Ok(denied) => Err(problem::denied(request, &denied, self.fields)),
            Err(_) => Err(problem::undecided(request, self.fields)),
        }
    }
}

/// Whether an attempt is made, or was.
#[derive(Clone, Copy)]
enum Ask {
    Peek,
    Charge,
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
