//! Tollgate: an atomic rate limiter for HTTP APIs.
//!
//! A [`Limiter`] asks a [`Store`], in one indivisible step, whether a request may pass. The request
//! may meet several policies ([`Policy`]); it is charged under all of them, or under none.
//!
//! ```
//! use std::sync::Arc;
//! use tollgate::{Algorithm, Client, Cost, Limiter, MemoryStore, Policy};
//!
//! let limiter = Limiter::builder(Arc::new(MemoryStore::new(100_000)))
//!     .policy(Policy::new("daily", "1000/day".parse()?)?)
//!     .policy(
//!         Policy::new("burst", "5/second".parse()?)?
//!             .with_algorithm(Algorithm::TokenBucket { burst: 20 })?,
//!     )
//!     .build()?;
//! let policies = limiter.policies(["burst", "daily"])?;
//!
//! let decision = limiter.check(&policies, Cost::ONE, &Client::user("1042")).wait()?;
//! assert!(decision.is_allowed());
//! let remaining: Vec<u64> = decision.policies().map(|(_, it)| it.remaining).collect();
//! assert_eq!(remaining, [19, 999]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! * [`RateLimit`] is the middleware for an actix-web app: it checks each request, and answers 429 or
//!   adds the header fields. See [Middleware](guide#middleware) and
//!   [Header fields](guide#header-fields).
//! * [`ClientIp`] finds the addresses of clients behind proxies. See
//!   [Behind a proxy](guide#behind-a-proxy).
//! * [`Limiter`] is for everything else. [`Limiter::check`] is told who asks, a [`Client`], and returns a
//!   [`Check`], which a task awaits and a thread waits for; what comes of it is a [`Decision`]. See
//!   [Policies](guide#policies), [Plans and users](guide#plans-and-users), [Routes](guide#routes) and
//!   [Algorithms](guide#algorithms).
//! * [`RedisStore`] and [`MemoryStore`] keep the state; another [`Store`] must keep the contract that is
//!   written there. See [Keys in Redis](guide#keys-in-redis) and
//!   [When Redis does not answer](guide#when-redis-does-not-answer).
//!
//! What a decision promises, and where that ends, is in
//! [Guarantees and their limits](guide#guarantees-and-their-limits).
//!
//! # Features
//!
//! | feature | brings | needs |
//! |---|---|---|
//! | `redis` | [`RedisStore`] | |
//! | `actix` | [`RateLimit`] | |
//! | `server` | the app: the binary `tollgate` | `redis`, `actix` |
//!
//! All are on by default. Without any, the limiter and the memory store remain.
//!
//! # Time
//!
//! All times are whole milliseconds ([`Millis`]), and numbers stay below 2^53 ([`MAX_EXACT`]).

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod app;
mod domain;
#[cfg(any(feature = "actix", feature = "tower"))]
mod http;
mod limiter;
mod store;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use self::actix::RateLimit;
pub use self::domain::algorithm::{Algorithm, LARGEST_LOG, State, Terms};
pub use self::domain::client::Client;
pub use self::domain::clock::{Clock, ManualClock, Millis};
pub use self::domain::decision::{Decision, Retry, Standing};
pub use self::domain::key::{Identity, Ipv6Network, Ipv6Prefix};
pub use self::domain::network::{Network, NetworkError};
pub use self::domain::policy::{KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError};
pub use self::domain::quota::{Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError};
#[cfg(any(feature = "actix", feature = "tower"))]
pub use self::http::{ClientIp, ForwardingHeader, ForwardingHeaderError, RequestHead, User};
pub use self::limiter::{
    Access, AccessEntry, AccessEntryError, Admission, Admitting, Check, Incoming, Limiter,
    LimiterBuilder, LimiterError, Policies, Refused, Route, RoutePattern, RoutePatternError,
    Unavailable,
};
pub use self::store::{
    Acquire, Acquired, Answer, Charge, Debtor, Key, Keyspace, MemoryStatus, MemoryStore,
    MonotonicClock, NewKeys, PolicyKeys, Store, StoreError, StoreErrorKind, SystemClock,
};
#[cfg(feature = "redis")]
pub use self::store::{RedisOptions, RedisStatus, RedisStore, RedisUrl, RedisUrlError};
#[cfg(feature = "tls")]
pub use self::store::{RedisTls, RedisTlsError};

#[cfg(feature = "tower")]
pub use self::tower::{RateLimitLayer, RateLimitService, ResponseBody};

/// The README: from a quick start to the guarantees and their limits.
#[cfg(all(doc, feature = "server"))] // its examples use the middleware and Redis
#[doc = include_str!("../README.md")]
pub mod guide {}
