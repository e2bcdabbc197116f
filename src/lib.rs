//! Tollgate: an atomic rate limiter for HTTP APIs.

mod algorithm;
mod clock;
mod decision;
mod key;
mod limiter;
mod policy;
mod quota;
mod store;

pub use algorithm::{Algorithm, LARGEST_LOG, State, Terms};
pub use clock::{Clock, ManualClock, Millis};
pub use decision::{Decision, Retry, Standing};
pub use key::Identity;
pub use limiter::{Check, Limiter, LimiterBuilder, LimiterError, Policies, Route, Unavailable};
pub use policy::{KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError};
pub use quota::{Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError};
#[cfg(feature = "redis")]
pub use store::{RedisOptions, RedisStore};
pub use store::{
    Acquire, Acquired, Answer, Charge, Key, Keyspace, MemoryStore, Store, StoreError,
    StoreErrorKind, SystemClock,
};
