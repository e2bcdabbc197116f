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
//! The [guide] has a page for each question.
//!
//! * [`RateLimit`] is the middleware for an actix-web app: it checks each request, and answers 429 or
//!   adds the header fields. See [the middleware](guide::middleware) and
//!   [header fields](guide::header_fields).
//! * [`RateLimitLayer`] is the same for axum, tonic, hyper and whatever else is a tower service: see
//!   [the layer](guide::tower_layer).
//! * [`ClientIp`] finds the addresses of clients [behind proxies](guide::client_address).
//! * [`Limiter`] is for everything else: see [the limiter](guide::limiter). It takes a [`Client`], who asks,
//!   and answers with a [`Decision`]. See [policies](guide::policies), [plans](guide::plans),
//!   [routes](guide::routes) and [algorithms](guide::algorithms).
//! * [`RedisStore`] and [`MemoryStore`] keep the counts: see [stores](guide::stores) and
//!   [outages](guide::outages). Authors of other stores find the contract in [`store`], and the algorithms in
//!   [`algorithm`].
//!
//! What a decision promises, and where that ends, is in [guarantees](guide::guarantees).
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
pub use self::domain::calendar::{
    Calendar, CalendarUnit, UnknownWeekday, UnknownZone, Weekday, Zone,
};
pub use self::domain::client::{Claims, Client};
pub use self::domain::clock::{Clock, ManualClock, Millis};
pub use self::domain::decision::Decision;
pub use self::domain::key::{
    Descriptor, Identity, IdentityError, IdentityParts, Ipv6Network, Ipv6Prefix,
};
pub use self::domain::network::{Network, NetworkError};
pub use self::domain::penalty::{Penalty, PenaltyError};
pub use self::domain::policy::{
    KeyParts, KeyPartsError, KeySource, MAX_NAME, OnStoreFailure, Policy, PolicyError, Rollout,
    Share, Statuses, StatusesError,
};
pub use self::domain::quota::{
    ClientQuota, Cost, MAX_EXACT, MAX_WINDOW, Quota, QuotaError, Quotas, QuotasError,
};
pub use self::domain::receipt::{Receipt, ReceiptError};
pub use self::domain::slot::{SlotId, Slots};
pub use self::domain::standing::{Retry, Standing};
pub use self::domain::window::Window;
#[cfg(any(feature = "actix", feature = "tower"))]
pub use self::http::{
    ClientIp, ForwardingHeader, ForwardingHeaderError, HeaderFormat, HeaderFormatError,
    RefusalBodies, RefusalError, Refusals, RequestHead, User, XRateLimitReset,
};
pub use self::limiter::{
    Access, AccessEntry, AccessEntryError, Admission, Admitting, Check, DecidedBy, DecisionEvent,
    GivenBack, Incoming, LeaseCounts, Limiter, LimiterBuilder, LimiterError, MetPolicy, Observer,
    Outcome, PenaltyBan, Policies, RefundEvent, Refused, Route, RoutePattern, RoutePatternError,
    TrialKind, TrialOutcome, Unavailable,
};
/// What operators change for single clients while the process runs: bans, boosts, and policies that are off.
///
/// [`Overrides`](overrides::Overrides) reads them from a store in the background, and
/// [`LimiterBuilder::overrides`] lets them hold. Then [`Limiter::ban`], [`Limiter::boost`] and their like change them
/// for all processes that share the store.
pub mod overrides {
    pub use crate::domain::banned::Banned;
    pub use crate::limiter::{
        AuditLine, Changed, Effect, KeyStanding, ListedOverrides, Note, Override, OverrideError,
        OverrideWarning, Overrides, QuotaSource,
    };
}

/// What would happen to a request now, and why: [`Limiter::explain`] says it, and charges nothing.
pub mod explanation {
    pub use crate::limiter::{ExplainedPolicy, Explanation, PolicyRole, Verdict};
}

#[cfg(feature = "redis")]
#[doc(hidden)] // for the load harness and tests
pub use self::store::lua;
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

#[cfg(all(doc, feature = "server", feature = "tower"))] // its examples use all doors and Redis
#[doc = include_str!("../docs/guide/index.md")]
pub mod guide {
    #[doc = include_str!("../docs/guide/middleware.md")]
    pub mod middleware {}
    #[doc = include_str!("../docs/guide/tower_layer.md")]
    pub mod tower_layer {}
    #[doc = include_str!("../docs/guide/limiter.md")]
    pub mod limiter {}
    #[doc = include_str!("../docs/guide/policies.md")]
    pub mod policies {}
    #[doc = include_str!("../docs/guide/plans.md")]
    pub mod plans {}
    #[doc = include_str!("../docs/guide/routes.md")]
    pub mod routes {}
    #[doc = include_str!("../docs/guide/algorithms.md")]
    pub mod algorithms {}
    #[doc = include_str!("../docs/guide/client_address.md")]
    pub mod client_address {}
    #[doc = include_str!("../docs/guide/stores.md")]
    pub mod stores {}
    #[doc = include_str!("../docs/guide/outages.md")]
    pub mod outages {}
    #[doc = include_str!("../docs/guide/header_fields.md")]
    pub mod header_fields {}
    #[doc = include_str!("../docs/guide/cors.md")]
    pub mod cors {}
    #[doc = include_str!("../docs/guide/guarantees.md")]
    pub mod guarantees {}
}

#[cfg(all(doctest, feature = "server", feature = "tower"))]
#[doc = include_str!("../README.md")]
struct Readme;
