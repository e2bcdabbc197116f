//! Tollgate: an atomic rate limiter for HTTP APIs.

mod algorithm;
#[cfg(feature = "server")]
pub mod cli;
mod clock;
#[cfg(feature = "server")]
pub mod config;
mod decision;
#[cfg(feature = "actix")]
mod headers;
#[cfg(feature = "actix")]
mod identity;
mod key;
mod limiter;
#[cfg(feature = "actix")]
mod middleware;
mod policy;
#[cfg(feature = "actix")]
mod problem;
mod quota;
#[cfg(feature = "server")]
mod routes;
#[cfg(feature = "server")]
mod server;
mod store;

pub use algorithm::{Algorithm, LARGEST_LOG, State, Terms};
pub use clock::{Clock, ManualClock, Millis};
pub use decision::{Decision, Retry, Standing};
#[cfg(feature = "actix")]
pub use identity::User;
pub use key::Identity;
pub use limiter::{Check, Limiter, LimiterBuilder, LimiterError, Policies, Route, Unavailable};
#[cfg(feature = "actix")]
pub use middleware::RateLimit;
pub use policy::{KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError};
pub use quota::{Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError};
pub use store::{
    Acquire, Acquired, Answer, Charge, Key, Keyspace, MemoryStore, MonotonicClock, Store,
    StoreError, StoreErrorKind, SystemClock,
};
#[cfg(feature = "redis")]
pub use store::{RedisOptions, RedisStore};
