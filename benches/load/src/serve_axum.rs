//! Apps on axum: without a limiter, with the layer of Tollgate, and with what a user would pick instead.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderName, Request, header};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use clap::ValueEnum;
use tollgate::{
    KeySource, Limiter, MemoryStore, OnStoreFailure, Policy, RateLimitLayer, RedisOptions,
    RedisStore,
};
use tower_governor::GovernorError;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_governor::key_extractor::KeyExtractor;

use crate::result::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AxumApp {
    /// No limiter at all
    AxumBare,
    /// The layer of Tollgate over its memory store
    AxumMemory,
    /// The layer of Tollgate over Redis
    AxumRedis,
    /// The crate tower_governor, which counts in memory
    TowerGovernor,
}

impl AxumApp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AxumBare => "axum-bare",
            Self::AxumMemory => "axum-memory",
            Self::AxumRedis => "axum-redis",
            Self::TowerGovernor => "tower-governor",
        }
    }
}

/// The clients of the load say in this field who they are.
const CLIENT: HeaderName = HeaderName::from_static("x-client");

/// Serves until the process is ended.
pub(crate) fn serve(app: AxumApp, listen: &str, redis: &str, units: u64) -> Result<()> {
    let bare = Router::new().route("/api/data", get(data));
    let router = match app {
        AxumApp::AxumBare => bare,
        AxumApp::AxumMemory => {
            bare.layer(layer(Limiter::builder(Arc::new(MemoryStore::new(2_000_000))), units)?)
        }
        AxumApp::AxumRedis => {
            let store = RedisStore::start(&RedisOptions::new(redis))?;
            bare.layer(layer(Limiter::builder(Arc::new(store)), units)?)
        }
        AxumApp::TowerGovernor => {
            // Nobody uses up a billion at once.
            let config = GovernorConfigBuilder::default()
                .per_nanosecond(1)
                .burst_size(u32::try_from(units)?)
                .key_extractor(ByClient)
                .use_headers()
                .finish();
            bare.layer(GovernorLayer::new(config.ok_or("no burst")?))
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        Ok(axum::serve(listener, router).await?)
    })
}

fn layer(builder: tollgate::LimiterBuilder, units: u64) -> Result<RateLimitLayer> {
    let policy = Policy::new("default", format!("{units}/hour").parse()?)?
        .with_key(KeySource::Header(CLIENT.as_str().into()))
        // So that a store that fails shows.
        .with_on_store_failure(OnStoreFailure::Deny);
    let limiter = builder.policy(policy).build()?;
    Ok(RateLimitLayer::new(limiter).policies(["default"])?)
}

async fn data() -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, r#"{"message":"Here is your data!"}"#).into_response()
}

/// As the policy of the others does.
#[derive(Clone)]
struct ByClient;

impl KeyExtractor for ByClient {
    type Key = Vec<u8>;

    fn extract<T>(&self, request: &Request<T>) -> std::result::Result<Vec<u8>, GovernorError> {
        let client = request.headers().get(CLIENT);
        Ok(client.map_or_else(Vec::new, |client| client.as_bytes().to_vec()))
    }
}

impl fmt::Debug for ByClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByClient")
    }
}
