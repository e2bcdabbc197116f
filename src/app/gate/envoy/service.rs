//! The service that Envoy calls.

use tonic::{Request, Response, Status};

use super::messages::{Code, RateLimitRequest, RateLimitResponse, RateLimitService};
use super::{Question, answer};
use crate::app::assemble::CurrentSnapshot;
use crate::app::observation::{ENVOY, GateError};
use crate::limiter::Refused;

/// Decides requests of Envoy by the snapshot that is in force.
#[derive(Clone, Debug)]
pub(crate) struct EnvoyRateLimit {
    snapshot: CurrentSnapshot,
}

impl EnvoyRateLimit {
    pub(crate) fn new(snapshot: CurrentSnapshot) -> Self {
        Self { snapshot }
    }

    /// Decides `request`.
    ///
    /// # Errors
    /// If it is no request that can be decided, or the store fails and a policy then refuses.
    async fn decide(&self, request: &RateLimitRequest) -> Result<RateLimitResponse, Status> {
        let snapshot = self.snapshot.load_full();
        let question = Question::new(request, &snapshot.descriptors);
        let question = question.map_err(|error| {
            snapshot.counts.gate_error(GateError::RateLimit);
            Status::invalid_argument(error.to_string())
        })?;
        snapshot.counts.ignore_limits(question.ignored_limits());
        let limiter = &snapshot.limiter;
        let asked = question
            .with_parts(|parts| (!parts.is_empty()).then(|| limiter.admit_together(ENVOY, parts)));
        let together = match asked {
            Some(asked) => Some(asked.await),
            None => None,
        };
        let refused = together.as_ref().and_then(|together| together.refused());
        if let Some(Refused::Undecided(unavailable)) = refused {
            return Err(Status::unavailable(unavailable.to_string()));
        }
        let response =
            answer::response(question.fates(), together.as_ref(), snapshot.answers.fields);
        // A request that is refused changes nothing.
        if response.overall_code == i32::from(Code::Ok) {
            let given_back = question
                .with_given_back(|parts| (!parts.is_empty()).then(|| limiter.give_back(parts)));
            let given_back = match given_back {
                Some(given_back) => given_back.await,
                None => Ok(()),
            };
            match given_back {
                Err(error) if together.is_none() => {
                    return Err(Status::unavailable(format!("nothing was given back: {error}")));
                }
                // The rest of the request is charged already, so it passes.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(response)
    }
}

#[tonic::async_trait]
impl RateLimitService for EnvoyRateLimit {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        self.decide(request.get_ref()).await.map(Response::new)
    }
}
