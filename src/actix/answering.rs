use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;

use crate::domain::decision::Decision;
use crate::http::fields;
use crate::http::fields::FieldOptions;
use crate::http::problem;
use crate::limiter::{Admission, Deciding};

type Answer<B> = Result<ServiceResponse<EitherBody<B>>, Error>;

pin_project! {
    /// The answer to a request.
    #[doc(hidden)]
    #[project = Projection]
    pub enum Answering<S, B>
    where
        S: Service<ServiceRequest>,
    {
        Waits { deciding: Box<Deciding>, waiting: Option<Waiting<S>> },
        Passes { #[pin] call: S::Future, told: Option<Decision>, fields: FieldOptions },
        Refused { answer: Ready<Answer<B>> },
    }
}

/// A request that the limiter has not decided yet.
struct Waiting<S> {
    service: Rc<S>,
    request: ServiceRequest,
    fields: FieldOptions,
}

impl<S, B> Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    /// Answers `request` as `admission` has it, by `service` where it passes.
    pub(crate) fn of(
        service: &S,
        request: ServiceRequest,
        admission: Admission,
        fields: FieldOptions,
    ) -> Self {
        match admission {
            Admission::Passes(told) => Self::Passes { call: service.call(request), told, fields },
            Admission::Refused(refused) => {
                let refusal = problem::refusal(&request, &refused, fields);
                let response = request.into_response(HttpResponse::from(refusal));
                Self::Refused { answer: ready(Ok(response.map_into_right_body())) }
            }
        }
    }

    /// Waits for `deciding`, then answers as [`of`](Self::of) does.
    pub(crate) fn later(
        service: Rc<S>,
        request: ServiceRequest,
        deciding: Box<Deciding>,
        fields: FieldOptions,
    ) -> Self {
        Self::Waits { deciding, waiting: Some(Waiting { service, request, fields }) }
    }
}

impl<S, B> Future for Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Projection::Waits { deciding, waiting } = self.as_mut().project() {
            let admission = ready!(Pin::new(deciding).poll(context));
            if let Some(Waiting { service, request, fields }) = waiting.take() {
                self.set(Self::of(&*service, request, admission, fields));
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
