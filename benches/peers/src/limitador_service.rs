//! Envoy's rate limit service over limitador, as its own server makes it: descriptors become a list that limits are
//! evaluated on, and Redis counts with its exact storage.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use limitador::AsyncRateLimiter;
use limitador::limit::{Expression, Limit, Predicate};
use limitador::storage::redis::AsyncRedisStorage;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

const DOMAIN: &str = "bench";
const HOUR_SECONDS: u64 = 3_600;
const PLENTY: u64 = 1_000_000_000;

/// The descriptors that the benches send, at most.
const DESCRIPTORS: usize = 3;

/// What is read of a request.
#[derive(Clone, PartialEq, prost::Message)]
struct RateLimitRequest {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(message, repeated, tag = "2")]
    descriptors: Vec<Descriptor>,
    #[prost(uint32, tag = "3")]
    hits_addend: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Descriptor {
    #[prost(message, repeated, tag = "1")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Entry {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct RateLimitResponse {
    #[prost(int32, tag = "1")]
    overall_code: i32,
}

pub async fn serve(listen: &str, redis: &str) -> Result<(), Box<dyn Error>> {
    let storage = AsyncRedisStorage::new(redis).await?;
    let limiter = AsyncRateLimiter::new_with_storage(Box::new(storage));
    for index in 0..DESCRIPTORS {
        let applies = Predicate::parse(format!("size(descriptors) > {index}"))?;
        let client = Expression::parse(format!("descriptors[{index}].client"))?;
        limiter.add_limit(Limit::with_id(
            format!("{index}"),
            DOMAIN,
            PLENTY,
            HOUR_SECONDS,
            [applies],
            [client],
        ));
    }
    let service = RateLimitService(Arc::new(limiter));
    Server::builder().add_service(service).serve(listen.parse()?).await?;
    Ok(())
}

#[derive(Clone)]
struct RateLimitService(Arc<AsyncRateLimiter>);

impl NamedService for RateLimitService {
    const NAME: &'static str = "envoy.service.ratelimit.v3.RateLimitService";
}

type Answering<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Service<http::Request<Body>> for RateLimitService {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answering<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = ShouldRateLimit(self.0.clone());
        Box::pin(async move {
            let codec = ProstCodec::<RateLimitResponse, RateLimitRequest>::default();
            Ok(Grpc::new(codec).unary(method, request).await)
        })
    }
}

/// The one method of the service.
struct ShouldRateLimit(Arc<AsyncRateLimiter>);

impl Service<Request<RateLimitRequest>> for ShouldRateLimit {
    type Response = Response<RateLimitResponse>;
    type Error = Status;
    type Future = Answering<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RateLimitRequest>) -> Self::Future {
        let limiter = self.0.clone();
        Box::pin(async move {
            let RateLimitRequest { domain, descriptors, hits_addend } = request.into_inner();
            let of_descriptor = |descriptor: Descriptor| -> HashMap<String, String> {
                descriptor.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
            };
            let descriptors = descriptors.into_iter().map(of_descriptor).collect();
            let mut context = limitador::limit::Context::default();
            context.list_binding("descriptors".to_owned(), descriptors);
            let hits = u64::from(hits_addend.max(1));
            let checked =
                limiter.check_rate_limited_and_update(&domain.into(), &context, hits).await;
            let limited = checked.map_err(|error| Status::unavailable(error.to_string()))?.limited;
            let overall_code = if limited { 2 } else { 1 };
            Ok(Response::new(RateLimitResponse { overall_code }))
        })
    }
}
