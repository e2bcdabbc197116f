use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::{Error, HttpResponse};
use pin_project_lite::pin_project;

use super::held_body::HeldBody;
use crate::domain::decision::Decision;
use crate::http::answers::Telling;
use crate::http::fields;
use crate::http::fields::FieldOptions;
use crate::http::problem;
use crate::limiter::{Admission, Deciding, Settler, Settling};

type Answer<B> = Result<ServiceResponse<EitherBody<HeldBody<B>>>, Error>;

pin_project! {
    /// The answer to a request.
    #[doc(hidden)]
    #[project = Projection]
    pub enum Answering<S, B>
    where
        S: Service<ServiceRequest>,
    {
        Waits { deciding: Box<Deciding>, waiting: Option<Waiting<S>> },
        Passes {
            #[pin]
            call: S::Future,
            told: Option<Decision>,
            settler: Option<Settler>,
            fields: FieldOptions,
        },
        Settles { settling: Box<Settling>, answer: Option<Result<ServiceResponse<B>, Error>>, fields: FieldOptions },
        Refused { answer: Ready<Answer<B>> },
    }
}

/// A request that the limiter has not decided yet.
struct Waiting<S> {
    service: Rc<S>,
    request: ServiceRequest,
    settler: Option<Settler>,
    telling: Telling,
}

impl<S, B> Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    /// Answers `request` as `admission` has it, by `service` where it passes. What the response does not count for is
    /// given back by `settler`.
    pub(crate) fn of(
        service: &S,
        request: ServiceRequest,
        admission: Admission,
        settler: Option<Settler>,
        telling: &Telling,
    ) -> Self {
        match admission {
            Admission::Passes(told) => {
                let fields = telling.fields;
                Self::Passes { call: service.call(request), told, settler, fields }
            }
            Admission::Refused(refused) => {
                let refusal = problem::refusal(&request, &refused, telling);
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
        settler: Option<Settler>,
        telling: Telling,
    ) -> Self {
        Self::Waits { deciding, waiting: Some(Waiting { service, request, settler, telling }) }
    }
}

impl<S, B> Future for Answering<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Output = Answer<B>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Projection::Waits { deciding, waiting } = self.as_mut().project() {
            let admission = ready!(Pin::new(deciding).poll(context));
            if let Some(Waiting { service, request, settler, telling }) = waiting.take() {
                self.set(Self::of(&*service, request, admission, settler, &telling));
            }
        }
        if let Projection::Passes { call, told, settler, fields } = self.as_mut().project() {
            let answer = ready!(call.poll(context));
            let fields = *fields;
            let settled = match (settler.take(), told.take()) {
                (Some(settler), Some(decision)) => {
                    settler.settle(decision, status(&answer), has_ended(&answer))
                }
                (_, told) => return Poll::Ready(answered(answer, told, fields)),
            };
            match settled {
                Ok(told) => return Poll::Ready(answered(answer, Some(told), fields)),
                // The client's next request is to see what it was given back, so the answer waits for that.
                Err(settling) => {
                    self.set(Self::Settles { settling, answer: Some(answer), fields });
                }
            }
        }
        match self.project() {
            Projection::Refused { answer } => Pin::new(answer).poll(context),
            Projection::Settles { settling, answer, fields } => {
                let told = ready!(Pin::new(settling).poll(context));
                answer
                    .take()
                    .map_or(Poll::Pending, |answer| Poll::Ready(answered(answer, told, *fields)))
            }
            Projection::Waits { .. } | Projection::Passes { .. } => Poll::Pending,
        }
    }
}

/// The status with which a request is answered, also if the service fails.
fn status<B>(answer: &Result<ServiceResponse<B>, Error>) -> u16 {
    let status = match answer {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    status.as_u16()
}

/// Whether nothing is left to send of `answer` but its head. The body of an error is made elsewhere.
fn has_ended<B: MessageBody>(answer: &Result<ServiceResponse<B>, Error>) -> bool {
    match answer {
        Ok(response) => {
            let has_no_body =
                matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
            has_no_body || response.request().method() == Method::HEAD
        }
        Err(_) => true,
    }
}

/// The answer of the service, with the fields of what was `told`. It holds the slots of its request until it ends.
fn answered<B: MessageBody>(
    answer: Result<ServiceResponse<B>, Error>,
    mut told: Option<Decision>,
    fields: FieldOptions,
) -> Answer<B> {
    let mut response = answer?;
    if let Some(decision) = &told {
        fields::write(response.headers_mut(), decision, fields);
    }
    let slots = told.as_mut().and_then(Decision::take_slots);
    Ok(response.map_body(|_, body| EitherBody::left(HeldBody::new(body, slots))))
}
