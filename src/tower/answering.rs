use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ResponseBody;
use super::{adapter, grpc};
use crate::domain::decision::Decision;
use crate::http::fields::{self, FieldOptions};
use crate::http::problem;
use crate::limiter::{Admission, Deciding};

pin_project! {
    /// The response to a request.
    #[doc(hidden)]
    pub struct Answering<S, A, B>
    where
        S: Service<Request<A>>,
    {
        #[pin]
        state: State<S, A, B>,
        fields: FieldOptions,
    }
}

pin_project! {
    #[project = Projection]
    enum State<S, A, B>
    where
        S: Service<Request<A>>,
    {
        Waits { deciding: Box<Deciding>, waiting: Option<(S, Request<A>)> },
        Passes { #[pin] call: S::Future, told: Option<Decision> },
        Refused { response: Option<Response<ResponseBody<B>>> },
    }
}

impl<S, A, B> Answering<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
{
    /// Answers `request` as `admission` has it, by `service`, which is ready, where it passes.
    pub(super) fn of(
        service: &mut S,
        request: Request<A>,
        admission: Admission,
        fields: FieldOptions,
    ) -> Self {
        let state = State::of(service, request, admission, fields);
        if matches!(state, State::Refused { .. }) {
            // A service that is ready may hold a permit for a call, which does not come now.
            *service = service.clone();
        }
        Self { state, fields }
    }

    /// Waits for `deciding`, then answers as [`of`](Self::of) does.
    pub(super) fn later(
        service: S,
        request: Request<A>,
        deciding: Box<Deciding>,
        fields: FieldOptions,
    ) -> Self {
        Self { state: State::Waits { deciding, waiting: Some((service, request)) }, fields }
    }
}

impl<S, A, B> State<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    fn of(
        service: &mut S,
        request: Request<A>,
        admission: Admission,
        fields: FieldOptions,
    ) -> Self {
        let refused = match admission {
            Admission::Passes(told) => return Self::Passes { call: service.call(request), told },
            Admission::Refused(refused) => refused,
        };
        let headers = request.headers();
        let response = if grpc::is_grpc(headers) {
            grpc::response(&refused, fields)
        } else {
            adapter::response(problem::refusal(headers, &refused, fields))
        };
        Self::Refused { response: Some(response) }
    }
}

impl<S, A, B> Future for Answering<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Output = Result<Response<ResponseBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Projection::Waits { deciding, waiting } = this.state.as_mut().project() {
            let admission = ready!(Pin::new(deciding).poll(context));
            if let Some((mut service, request)) = waiting.take() {
                let state = State::of(&mut service, request, admission, *this.fields);
                this.state.set(state);
            }
        }
        match this.state.project() {
            Projection::Passes { call, told } => call.poll(context).map_ok(|mut response| {
                if let Some(decision) = told {
                    fields::write(response.headers_mut(), decision, *this.fields);
                }
                response.map(ResponseBody::own)
            }),
            Projection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            Projection::Waits { .. } => Poll::Pending,
        }
    }
}

impl<S, A, B> fmt::Debug for Answering<S, A, B>
where
    S: Service<Request<A>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
