//! A client of the service, as Envoy is one.

use std::io;
use std::net::SocketAddr;

use http::Uri;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower::service_fn;

#[allow(
    dead_code,
    unused_imports,
    reason = "the server's own messages, of which a client needs some"
)]
#[path = "../../../../src/app/gate/envoy/messages.rs"]
pub(super) mod messages;

pub(super) use messages::{Code, RateLimitDescriptor, RateLimitRequest, RateLimitResponse};

const PATH: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// A connection to the service.
pub(super) struct Envoy {
    pub(super) runtime: Runtime,
    pub(super) channel: Channel,
    token: Option<MetadataValue<Ascii>>,
}

impl Envoy {
    /// A connection to the service at `address`, which is made when it is needed.
    pub(super) fn at(address: SocketAddr) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("a URL");
        let channel = runtime.block_on(async { endpoint.connect_lazy() });
        Self { runtime, channel, token: None }
    }

    /// A client over connections that `connect` makes.
    pub(super) fn over<C, F, T>(connect: C) -> Self
    where
        C: Fn() -> F + Clone + Send + 'static,
        F: Future<Output = io::Result<T>> + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let runtime = Runtime::new().expect("a runtime");
        let connector = service_fn(move |_: Uri| {
            let connecting = connect();
            async move { connecting.await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://gate");
        let channel = runtime.block_on(async { endpoint.connect_with_connector_lazy(connector) });
        Self { runtime, channel, token: None }
    }

    /// The same client with a token.
    pub(super) fn with_token(self, token: &str) -> Self {
        let token = format!("Bearer {token}").parse().expect("a value of a header field");
        Self { token: Some(token), ..self }
    }

    /// What `request` is answered.
    pub(super) fn ask(&self, request: RateLimitRequest) -> Result<RateLimitResponse, Status> {
        self.runtime.block_on(self.asking(request)).map(Response::into_inner)
    }

    /// What `request` of the domain `edge` is answered, which is to be an answer.
    pub(super) fn decide(&self, descriptors: Vec<RateLimitDescriptor>) -> RateLimitResponse {
        self.ask(request(descriptors)).expect("an answer")
    }

    /// Asks `request`.
    pub(super) fn asking(
        &self,
        request: RateLimitRequest,
    ) -> impl Future<Output = Result<Response<RateLimitResponse>, Status>> + use<> {
        let mut client = Grpc::new(self.channel.clone());
        let mut request = Request::new(request);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        async move {
            client.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
            let codec = ProstCodec::<RateLimitRequest, RateLimitResponse>::default();
            client.unary(request, PathAndQuery::from_static(PATH), codec).await
        }
    }
}

/// A request of the domain `edge`.
pub(super) fn request(descriptors: Vec<RateLimitDescriptor>) -> RateLimitRequest {
    RateLimitRequest { domain: "edge".to_owned(), descriptors, hits_addend: 0 }
}

/// A descriptor that is written `generic_key=login,remote_address=203.0.113.7`.
pub(super) fn descriptor(text: &str) -> RateLimitDescriptor {
    let mut descriptor = RateLimitDescriptor::default();
    for entry in text.split(',').filter(|entry| !entry.is_empty()) {
        let (key, value) = entry.split_once('=').expect("a key and a value");
        descriptor.entries.push(messages::Entry { key: key.to_owned(), value: value.to_owned() });
    }
    descriptor
}

/// The same descriptor with hits of its own.
pub(super) fn with_hits(text: &str, hits: u64) -> RateLimitDescriptor {
    RateLimitDescriptor { hits_addend: Some(hits), ..descriptor(text) }
}

/// The codes of the request as a whole and of each descriptor.
pub(super) fn codes(response: &RateLimitResponse) -> (Code, Vec<Code>) {
    let statuses = response.statuses.iter().map(|status| status.code()).collect();
    (response.overall_code(), statuses)
}

/// What is left of the quota of each descriptor.
pub(super) fn remaining(response: &RateLimitResponse) -> Vec<u32> {
    response.statuses.iter().map(|status| status.limit_remaining).collect()
}

/// The value of a header field for the client.
pub(super) fn field<'a>(response: &'a RateLimitResponse, name: &str) -> Option<&'a str> {
    let mut fields = response.response_headers_to_add.iter();
    fields.find(|field| field.key == name).map(|field| field.value.as_str())
}
