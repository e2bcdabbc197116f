use std::sync::Arc;
use std::task::{Context, Poll};
use std::{fmt, mem};

use http::{Request, Response};
use http_body::Body;
use tokio::runtime::Handle;
use tower_service::Service;

use super::adapter::Seen;
use super::answering::Answering;
use super::body::ResponseBody;
use super::settings::Settings;
use crate::limiter::Incoming as _;
use crate::store::DeferTask;

/// The service that [`RateLimitLayer`](super::RateLimitLayer) makes of another.
#[derive(Clone)]
pub struct RateLimitService<S> {
    service: S,
    settings: Arc<Settings>,
}

impl<S> RateLimitService<S> {
    pub(super) fn new(service: S, settings: Arc<Settings>) -> Self {
        Self { service, settings }
    }
}

impl<S, A, B> Service<Request<A>> for RateLimitService<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
    B: Body,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = Answering<S, A, B>;

    /// As ready as the service within: its backpressure holds for refused requests as well.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let settings = &self.settings;
        let (parts, body) = request.into_parts();
        // Gathers the requests of this thread's turn into one call of the store.
        if !DeferTask::is_here()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(DeferTask::of_this_thread());
        }
        let seen = Seen { request: &parts, settings };
        let decided = settings.limiter.admit(&seen).now();
        let telling = match &decided {
            Ok(admission) => settings.answers.about(admission, || seen.request_id()),
            Err(_) => settings.answers.to(|| seen.request_id()),
        };
        let request = Request::from_parts(parts, body);
        let settler = settings.limiter.settler();
        match decided {
            Ok(admission) => Answering::of(&mut self.service, request, admission, settler, telling),
            Err(deciding) => {
                // Only this instance is ready. Its clone has to become ready before the next call.
                let clone = self.service.clone();
                let ready = mem::replace(&mut self.service, clone);
                Answering::later(ready, request, deciding, settler, telling)
            }
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for RateLimitService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitService").field("service", &self.service).finish_non_exhaustive()
    }
}
