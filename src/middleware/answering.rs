use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{self, Poll};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;

use super::asked::{Told, Verdict};
use crate::headers::{self, FieldOptions};
use crate::problem;

type Answer<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

pin_project! {
    /// The answer to a request: in a box of its own only where the store takes its time.
    #[doc(hidden)]
    #[project = Projection]
    pub enum Answering<S, B>
    where
        S: Service<ServiceRequest>,
    {
        Refused { answer: Ready<Answer<B>> },
        Passes { #[pin] call: S::Future, told: Told, fields: FieldOptions },
        Later { answer: Pin<Box<dyn Future<Output = Answer<B>>>> },
    }
}

impl<S, B> Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    /// Answers `request` as the verdict has it, by `service` where it passes.
    pub(super) fn of(
        service: &S,
        request: ServiceRequest,
        verdict: Verdict,
        fields: FieldOptions,
    ) -> Self {
        match verdict {
            Verdict::Passes(told) => Self::Passes { call: service.call(request), told, fields },
            Verdict::Blocked => {
                let response = problem::forbidden(&request);
                Self::refused(request, response)
            }
            Verdict::Denied(denied) => {
                let response = problem::denied(&request, &denied, fields);
                Self::refused(request, response)
            }
            Verdict::Undecided => {
                let response = problem::undecided(&request, fields);
                Self::refused(request, response)
            }
        }
    }

    pub(super) fn later(answer: impl Future<Output = Answer<B>> + 'static) -> Self {
        Self::Later { answer: Box::pin(answer) }
    }

    fn refused(request: ServiceRequest, response: HttpResponse) -> Self {
        let response = request.into_response(response).map_into_right_body();
        Self::Refused { answer: ready(Ok(response)) }
    }
}

impl<S, B> Future for Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Output = Answer<B>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projection::Refused { answer } => Pin::new(answer).poll(context),
            Projection::Passes { call, told, fields } => call.poll(context).map(|answer| {
                let mut response = answer?;
                for decision in told.iter() {
                    headers::write(response.headers_mut(), decision, *fields);
                }
                Ok(response.map_into_left_body())
            }),
            Projection::Later { answer } => answer.as_mut().poll(context),
        }
    }
}
