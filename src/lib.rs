//! Tollgate: an atomic rate limiter for HTTP APIs.
//!
//! A [`Limiter`] asks a [`Store`](store::Store), in one indivisible step, whether a request may pass. The
//! request may meet several policies ([`Policy`]). It is charged under all of them, or under none.
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
//! * [`RateLimit`] is the middleware for an actix-web app, and [`RateLimitLayer`] the layer for axum, tonic and
//!   other services on tower. They check each request, and either answer 429 or add the header fields. See
//!   [Middleware](guide#middleware) and [Header fields](guide#header-fields).
//! * [`ClientIp`] finds the addresses of clients behind proxies. See
//!   [Behind a proxy](guide#behind-a-proxy).
//! * [`Limiter`] is for everything else. [`Limiter::check`] takes the [`Client`] that asks, and returns a
//!   [`Check`], which a task awaits and a thread waits for. The result is a [`Decision`]. See
//!   [Policies](guide#policies), [Plans and users](guide#plans-and-users), [Routes](guide#routes) and
//!   [Algorithms](guide#algorithms).
//! * [`RedisStore`] and [`MemoryStore`] keep the state. See [Keys in Redis](guide#keys-in-redis) and
//!   [When Redis does not answer](guide#when-redis-does-not-answer).
//! * Authors of other stores find the contract in [`store`], and the algorithms in [`algorithm`].
//!
//! [Guarantees and their limits](guide#guarantees-and-their-limits) tells what a decision promises.
//!
//! # Features
//!
//! | feature | adds | turns on |
//! |---|---|---|
//! | `redis` | [`RedisStore`] | |
//! | `tls` | [`RedisTls`]: connections to Redis by TLS | `redis` |
//! | `actix` | [`RateLimit`] for actix-web apps, with [`ClientIp`] and [`User`] | |
//! | `tower` | [`RateLimitLayer`] for services on tower, with [`ClientIp`] and [`User`] | |
//! | `server` | the app: the command `tollgate` | `actix`, `tls` |
//!
//! All are on by default. Features only add items. Without any of them, the limiter and the memory store
//! remain.
//!
//! # Time
//!
//! All times are whole milliseconds ([`Millis`]), and all numbers are below 2^53 ([`MAX_EXACT`]).
//!
//! # Compatibility
//!
//! Types that may get more fields or variants are `#[non_exhaustive]`. They have constructors if users have to
//! build them. The items of the module `app` belong to the command alone, and may change at any time.

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod app;
mod domain;
#[cfg(any(feature = "actix", feature = "tower"))]
mod http;
mod limiter;
pub mod store;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "actix")]
pub use self::actix::RateLimit;
pub use self::domain::algorithm::{self, Algorithm};
pub use self::domain::client::Client;
pub use self::domain::clock::{Clock, ManualClock, Millis};
pub use self::domain::decision::Decision;
pub use self::domain::key::{Identity, Ipv6Network, Ipv6Prefix};
pub use self::domain::network::{Network, NetworkError};
pub use self::domain::policy::{KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError};
pub use self::domain::quota::{Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError};
pub use self::domain::standing::{Retry, Standing};
#[cfg(any(feature = "actix", feature = "tower"))]
pub use self::http::{ClientIp, ForwardingHeader, ForwardingHeaderError, RequestHead, User};
pub use self::limiter::{
    Access, AccessEntry, AccessEntryError, Admission, Admitting, Check, Incoming, Limiter,
    LimiterBuilder, LimiterError, Policies, Refused, Route, RoutePattern, RoutePatternError,
    Unavailable,
};
#[doc(inline)]
pub use self::store::{
    Keyspace, MemoryStore, MonotonicClock, StoreError, StoreErrorKind, SystemClock,
};
#[cfg(feature = "redis")]
#[doc(inline)]
pub use self::store::{RedisOptions, RedisStore, RedisUrl, RedisUrlError};
#[cfg(feature = "tls")]
#[doc(inline)]
pub use self::store::{RedisTls, RedisTlsError};

#[cfg(feature = "tower")]
pub use self::tower::{RateLimitLayer, RateLimitService, ResponseBody};

/// The README: from a quick start to the guarantees and their limits.
#[cfg(all(doc, feature = "server"))] // its examples use the middleware and Redis
#[doc = include_str!("../README.md")]
pub mod guide {}
