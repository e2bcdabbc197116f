//! Envoy's rate limit service: what Envoy says of a request is charged under policies, all of it or nothing.
//!
//! The configuration maps descriptors to policies, and [`Question`] a request to what the limiter is asked. The limiter
//! decides, and the answer says where each descriptor stands.

pub(super) use self::messages::{DESCRIPTORS, RateLimitServiceServer};
use self::question::Question;
pub(super) use self::service::EnvoyRateLimit;

mod answer;
mod messages;
mod question;
mod service;
mod units;
