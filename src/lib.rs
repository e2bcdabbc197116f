//! Tollgate: an atomic rate limiter for HTTP APIs.

mod algorithm;
mod clock;
#[cfg(feature = "server")]
pub mod config;
mod decision;
mod key;
mod policy;
mod quota;

pub use algorithm::{Algorithm, LARGEST_LOG, State, Terms};
pub use clock::{Clock, ManualClock, Millis};
pub use decision::{Decision, Retry, Standing};
pub use key::Identity;
pub use policy::{KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError};
pub use quota::{Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError};
