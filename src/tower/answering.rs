use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::held_body::has_ended;
use super::{adapter, grpc};
use crate::domain::decision::Decision;
use crate::http::answers::Telling;
use crate::http::fields::{self, FieldOptions};
use crate::http::problem;
use crate::limiter::{Admission, Deciding, Settler, Settling};

pin_project! {
    /// The response to a request.
    #[doc(hidden)]
    pub struct Answering<S, A, B>
    where
        S: Service<Request<A>>,
        B: Body,
    {
        #[pin]
        state: State<S, A, B>,
        settler: Option<Settler>,
        // Its response has no body.
        is_head: bool,
        telling: Telling,
    }
}

pin_project! {
    #[project = Projection]
    enum State<S, A, B>
    where
        S: Service<Request<A>>,
        B: Body,
    {
        Waits { deciding: Box<Deciding>, waiting: Option<(S, Request<A>)> },
        Passes { #[pin] call: S::Future, told: Option<Decision> },
        Settles { settling: Box<Settling>, response: Option<Response<B>> },
        Refused { response: Option<Response<ResponseBody<B>>> },
    }
}

impl<S, A, B> Answering<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
    B: Body,
{
    /// Answers `request` as `admission` has it, by `service`, which is ready, where it passes. What the response does not
    /// count for is given back by `settler`.
    pub(super) fn of(
        service: &mut S,
        request: Request<A>,
        admission: Admission,
        settler: Option<Settler>,
        telling: Telling,
    ) -> Self {
        let is_head = request.method() == Method::HEAD;
        let state = State::of(service, request, admission, &telling);
        if matches!(state, State::Refused { .. }) {
            // A service that is ready may hold a permit for a call, which does not come now.
            *service = service.clone();
        }
        Self { state, settler, is_head, telling }
    }

    /// Waits for `deciding`, then answers as [`of`](Self::of) does.
    pub(super) fn later(
        service: S,
        request: Request<A>,
        deciding: Box<Deciding>,
        settler: Option<Settler>,
        telling: Telling,
    ) -> Self {
        let is_head = request.method() == Method::HEAD;
        let state = State::Waits { deciding, waiting: Some((service, request)) };
        Self { state, settler, is_head, telling }
    }
}

impl<S, A, B> State<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    fn of(service: &mut S, request: Request<A>, admission: Admission, telling: &Telling) -> Self {
        let refused = match admission {
            Admission::Passes(told) => return Self::Passes { call: service.call(request), told },
            Admission::Refused(refused) => refused,
        };
        let headers = request.headers();
        let response = if grpc::is_grpc(headers) {
            grpc::response(&refused, telling.fields)
        } else {
            adapter::response(problem::refusal(headers, &refused, telling))
        };
        Self::Refused { response: Some(response) }
    }
}

impl<S, A, B> Future for Answering<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Projection::Waits { deciding, waiting } = this.state.as_mut().project() {
            let admission = ready!(Pin::new(deciding).poll(context));
            if let Some((mut service, request)) = waiting.take() {
                let state = State::of(&mut service, request, admission, this.telling);
                this.state.set(state);
            }
        }
        let fields = this.telling.fields;
        if let Projection::Passes { call, told } = this.state.as_mut().project() {
            let response = ready!(call.poll(context))?;
            let settled = match (this.settler.take(), told.take()) {
                (Some(settler), Some(decision)) => {
                    let has_ended = *this.is_head || has_no_body(&response);
                    settler.settle(decision, status(&response), has_ended)
                }
                (_, told) => return Poll::Ready(Ok(answered(response, told, fields))),
            };
            match settled {
                Ok(told) => return Poll::Ready(Ok(answered(response, Some(told), fields))),
                // The client's next request is to see what it was given back, so the response waits for that.
                Err(settling) => {
                    this.state.set(State::Settles { settling, response: Some(response) });
                }
            }
        }
        match this.state.project() {
            Projection::Settles { settling, response } => {
                let told = ready!(Pin::new(settling).poll(context));
                response.take().map_or(Poll::Pending, |response| {
                    Poll::Ready(Ok(answered(response, told, fields)))
                })
            }
            Projection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            Projection::Waits { .. } | Projection::Passes { .. } => Poll::Pending,
        }
    }
}

/// The status of `response` as policies know it.
fn status<B>(response: &Response<B>) -> u16 {
    grpc::http_status(response.headers()).unwrap_or_else(|| response.status().as_u16())
}

/// Whether nothing is left to send of `response` but its head.
fn has_no_body<B: Body>(response: &Response<B>) -> bool {
    let has_none = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    has_none || has_ended(response.body())
}

/// The response of the service, with the fields of what was `told`. It holds the slots of its request until it ends.
fn answered<B: Body>(
    mut response: Response<B>,
    mut told: Option<Decision>,
    fields: FieldOptions,
) -> Response<ResponseBody<B>> {
    if let Some(decision) = &told {
        fields::write(response.headers_mut(), decision, fields);
    }
    let slots = told.as_mut().and_then(Decision::take_slots);
    response.map(|body| ResponseBody::own(body, slots))
}

impl<S, A, B> fmt::Debug for Answering<S, A, B>
where
    S: Service<Request<A>>,
    B: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
