use actix_web::body::to_bytes;
use actix_web::http::header::HeaderMap;
use actix_web::rt::System;
use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};

use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::limiter::LimiterBuilder;
use crate::store::MemoryStore;

mod in_flight;
mod requests;
mod store_failure;
mod where_it_wraps;

/// 18 seconds into a minute and an hour: both windows end where a whole second does.
const NOW: u64 = 18_000;

fn policy(name: &str, quota: &str) -> Policy {
    Policy::new(name, quota.parse().unwrap()).unwrap()
}

/// A limiter that counts in memory, with its clock at [`NOW`].
fn in_memory(policies: impl IntoIterator<Item = Policy>) -> LimiterBuilder {
    at(&Arc::new(ManualClock::new(NOW)), policies)
}

fn at(clock: &Arc<ManualClock>, policies: impl IntoIterator<Item = Policy>) -> LimiterBuilder {
    let builder = Limiter::builder(Arc::new(MemoryStore::with_clock(1_000, clock.clone())));
    policies.into_iter().fold(builder, LimiterBuilder::policy)
}

/// The middleware over a policy `default` of `quota` that every request meets.
fn default_of(quota: &str) -> RateLimit {
    let limiter = in_memory([policy("default", quota)]).build().unwrap();
    RateLimit::new(limiter).policies(["default"]).unwrap()
}

/// An app that answers everything with 200, behind `rate_limit`.
fn ok(
    rate_limit: RateLimit,
) -> App<
    impl actix_web::dev::ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().wrap(rate_limit).default_service(web::to(HttpResponse::Ok))
}

/// An answer, read to its end.
#[derive(Debug)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Seen {
    /// The lines of a header field.
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).map(|value| value.to_str().unwrap()).collect()
    }

    /// The only line of a header field, if there is one.
    fn field(&self, name: &str) -> Option<&str> {
        let lines = self.all(name);
        assert!(lines.len() <= 1, "{name}: {lines:?}");
        lines.first().copied()
    }

    fn has_fields(&self) -> bool {
        ["ratelimit", "ratelimit-policy"].iter().any(|name| self.headers.contains_key(*name))
    }
}

async fn send<S, R, B>(app: &S, request: R) -> Seen
where
    S: Service<R, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let response = call_service(app, request).await;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let Ok(body) = to_bytes(response.into_body()).await else { panic!("a body that fails") };
    Seen { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The status of `GET path`, over and over.
macro_rules! statuses {
    ($app:expr, $path:expr, $count:expr) => {{
        let mut statuses = Vec::new();
        for _ in 0..$count {
            statuses.push(send($app, TestRequest::with_uri($path).to_request()).await.status);
        }
        statuses
    }};
}
use statuses;

fn run(test: impl Future<Output = ()>) {
    System::new().block_on(test);
}
