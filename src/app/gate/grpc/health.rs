//! The standard health check of gRPC, by which Envoy finds out whether to ask this process.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::time::{Sleep, sleep};
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::app::assemble::CurrentSnapshot;

/// The services that have a health. The last name is the one that Envoy's own rate limit service has.
const NAMES: [&str; 3] = ["", "envoy.service.ratelimit.v3.RateLimitService", "ratelimit"];

/// How often a watched health is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Answers as `/ready` does: a process is healthy unless it refuses requests for want of its store.
#[derive(Clone, Debug)]
pub(super) struct Health {
    snapshot: CurrentSnapshot,
}

impl Health {
    pub(super) fn new(snapshot: CurrentSnapshot) -> Self {
        Self { snapshot }
    }

    fn status(&self) -> ServingStatus {
        match self.snapshot.load().is_refusing() {
            false => ServingStatus::Serving,
            true => ServingStatus::NotServing,
        }
    }
}

#[tonic::async_trait]
impl tonic_health::pb::health_server::Health for Health {
    type WatchStream = Watch;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = &request.get_ref().service;
        match NAMES.contains(&name.as_str()) {
            true => Ok(Response::new(response(self.status()))),
            false => Err(Status::not_found("there is no such service")),
        }
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        let is_known = NAMES.contains(&request.get_ref().service.as_str());
        let health = is_known.then(|| self.clone());
        Ok(Response::new(Watch { health, told: None, timer: Box::pin(sleep(Duration::ZERO)) }))
    }
}

/// The health of a service, whenever it changes.
#[derive(Debug)]
pub(super) struct Watch {
    /// `None` for a service that there is not.
    health: Option<Health>,
    told: Option<ServingStatus>,
    timer: Pin<Box<Sleep>>,
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            self.timer = Box::pin(sleep(LOOK_EVERY));
            let unknown = ServingStatus::ServiceUnknown;
            let status = self.health.as_ref().map_or(unknown, Health::status);
            if self.told.replace(status) != Some(status) {
                return Poll::Ready(Some(Ok(response(status))));
            }
        }
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}
