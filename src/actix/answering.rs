use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;

use super::asked::{Asked, Verdict};
use crate::domain::decision::Decision;
use crate::http::fields;
use crate::http::fields::FieldOptions;
use crate::http::problem;
use crate::http::problem::Refusal;

type Answer<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

pin_project! {
    /// The answer to a request.
    #[doc(hidden)]
    #[project = Projection]
    pub enum Answering<S, B>
    where
        S: Service<ServiceRequest>,
    {
        Refused { answer: Ready<Answer<B>> },
        Passes { #[pin] call: S::Future, told: Option<Decision>, fields: FieldOptions },
        Waits { waiting: Option<Box<Waiting<S>>> },
    }
}

/// A request that the limiter has not decided yet: in a box, since most of it is of no use later.
struct Waiting<S> {
    service: Rc<S>,
    request: ServiceRequest,
    asked: Asked,
    fields: FieldOptions,
}

impl<S, B> Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    /// Answers `request` as the verdict has it, by `service` where it passes.
    pub(crate) fn of(
        service: &S,
        request: ServiceRequest,
        verdict: Verdict,
        fields: FieldOptions,
    ) -> Self {
        match verdict {
            Verdict::Passes(told) => Self::Passes { call: service.call(request), told, fields },
            Verdict::Blocked => {
                let refusal = problem::forbidden(&request);
                Self::refused(request, refusal)
            }
            Verdict::Denied(denied) => {
                let refusal = problem::denied(&request, &denied, fields);
                Self::refused(request, refusal)
            }
            Verdict::Undecided => {
                let refusal = problem::undecided(&request, fields);
                Self::refused(request, refusal)
            }
        }
    }

    /// Does that when `asked` is decided.
    pub(crate) fn later(
        service: Rc<S>,
        request: ServiceRequest,
        asked: Asked,
        fields: FieldOptions,
    ) -> Self {
        Self::Waits { waiting: Some(Box::new(Waiting { service, request, asked, fields })) }
    }

    fn refused(request: ServiceRequest, refusal: Refusal) -> Self {
        let response = request.into_response(HttpResponse::from(refusal)).map_into_right_body();
        Self::Refused { answer: ready(Ok(response)) }
    }
}

impl<S, B> Future for Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Projection::Waits { waiting } = self.as_mut().project() {
            if let Some(waiting) = waiting {
                ready!(waiting.asked.poll_decided(context));
            }
            if let Some(Waiting { service, request, asked, fields }) = waiting.take().map(|it| *it)
            {
                self.set(Self::of(&*service, request, asked.verdict(), fields));
            }
        }
        match self.project() {
            Projection::Refused { answer } => Pin::new(answer).poll(context),
            Projection::Passes { call, told, fields } => call.poll(context).map(|answer| {
                let mut response = answer?;
                if let Some(decision) = told {
                    fields::write(response.headers_mut(), decision, *fields);
                }
                Ok(response.map_into_left_body())
            }),
            Projection::Waits { .. } => Poll::Pending,
        }
    }
}
