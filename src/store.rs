//! Where state lives and decisions become atomic: the [`Store`] trait, the stores in memory and in Redis,
//! and what authors of other stores need.

pub use self::answer::Answer;
pub use self::clocks::{MonotonicClock, SystemClock};
pub(crate) use self::contract::Few;
pub use self::contract::{Acquire, Acquired, Charge, Debtor, Store};
#[cfg(feature = "actix")]
pub(crate) use self::defer::DeferTask;
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::fingerprint::{BuildFingerprintHasher, Fingerprint};
pub use self::keyspace::{Key, Keyspace};
pub(crate) use self::memory::{FallbackRequest, LastKnown};
pub use self::memory::{MemoryStatus, MemoryStore, NewKeys, PolicyKeys};
#[cfg(feature = "server")]
pub(crate) use self::redis::{Finding, Level, Look, examine, look};
#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStatus, RedisStore, RedisUrl, RedisUrlError};
#[cfg(feature = "tls")]
pub use self::redis::{RedisTls, RedisTlsError};

mod answer;
mod clocks;
mod contract;
#[cfg_attr(
    not(all(feature = "actix", feature = "redis")),
    allow(
        dead_code,
        reason = "only the middleware has a task for it, and only the Redis store defers"
    )
)]
mod defer;
mod error;
mod fingerprint;
mod keyspace;
mod memory;
#[cfg(feature = "redis")]
mod redis;
