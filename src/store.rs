//! Where state lives and decisions become atomic: the [`Store`] trait and its contract.

use std::fmt::{self, Debug};
use std::sync::{Arc, Weak};

pub use self::answer::Answer;
pub(crate) use self::answer::Awaited;
pub use self::clocks::{MonotonicClock, SystemClock};
#[cfg(feature = "actix")]
pub(crate) use self::defer::DeferTask;
#[cfg(feature = "tower")]
pub(crate) use self::defer::here_or_spawn;
pub(crate) use self::fingerprint::{BuildFingerprintHasher, Fingerprint};
pub use self::keyspace::{Key, Keyspace};
pub(crate) use self::maybe_ready::MaybeReady;
pub(crate) use self::memory::{FallbackRequest, LastKnown};
pub use self::memory::{MemoryStatus, MemoryStore, NewKeys, PolicyKeys};
#[cfg(feature = "server")]
pub(crate) use self::redis::{Finding, Level, Look, examine, look};
#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStatus, RedisStore, RedisUrl, RedisUrlError};
#[cfg(feature = "tls")]
pub use self::redis::{RedisTls, RedisTlsError};
use crate::domain::decision::Standing;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;

mod answer;
mod clocks;
#[cfg_attr(
    not(all(feature = "actix", feature = "redis")),
    allow(dead_code, reason = "the middleware has the clerk, the Redis store what is left for it")
)]
mod defer;
mod fingerprint;
mod keyspace;
mod maybe_ready;
mod memory;
#[cfg(feature = "redis")]
mod redis;

/// Keeps the state of keys, and decides and charges in one step.
///
/// What an implementation owes, and the tests hold every one to:
///
/// * [`acquire`](Store::acquire) is atomic: no other call sees or changes any of its keys between
///   its reading and its writing. Where that cannot be, [`may_give_back`](Store::may_give_back)
///   says so.
/// * As many of the `count` requests are admitted as fit under *every* charge, `admitted * cost`
///   units are charged to each of them, and nothing at all where none fits: then the only thing that
///   may be written is a state that a wrong clock wrote, as of now. A count of 0 only reads.
/// * The standings are those right after, in the order of the charges.
/// * A charge that was answered is kept until the quota is whole again. Where room is bounded, new keys
///   are counted together rather than an old one forgotten.
/// * Equal histories get equal decisions from every store that has room.
/// * No call blocks the caller: what takes time is answered later. An answer may fail, and then the
///   charge may or may not have landed; it is never made twice.
pub trait Store: Debug + Send + Sync {
    /// Decides and charges.
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired>;

    /// Forgets what was charged to `keys`.
    fn reset(&self, keys: Vec<Key>) -> Answer<()>;

    /// Whether a charge may be seen by others and be given back a moment later: where the store
    /// decides the keys of a request one after another, in the order of its charges, and a later one
    /// denies. What the last of them was charged is never given back.
    fn may_give_back(&self) -> bool {
        false
    }

    /// Is told of policies that requests will meet, before the first one does: a store of bounded room can
    /// divide it among them.
    fn prepare(&self, policies: &[Arc<Policy>]) {
        let _ = policies;
    }

    /// Has `debtor` asked for its debts each time the store is back from an outage, before it
    /// decides again. A store that is never away asks nobody.
    fn on_return(&self, debtor: Weak<dyn Debtor>) {
        drop(debtor);
    }
}

/// Who decides instead of a store while it is away, and owes it what was admitted meanwhile.
pub trait Debtor: Debug + Send + Sync {
    /// At most `most` of the charges that are owed, each under one policy. Each is handed out once.
    fn debts(&self, most: usize) -> Vec<Acquire>;

    /// What the store answered to one of them. What it may have charged is owed no longer.
    fn settled(&self, debt: &Acquire, answer: &Result<Acquired, StoreError>);
}

/// As many as a request mostly has, without an allocation.
pub(crate) type Few<T> = smallvec::SmallVec<[T; 4]>;

/// What [`Store::acquire`] is asked: `count` identical requests under the same charges.
#[derive(Clone, Debug)]
pub struct Acquire {
    /// The policies that every one of the requests meets, each with the key it counts by.
    pub charges: Vec<Charge>,
    /// Units that each request uses of each quota.
    pub cost: Cost,
    /// How many requests; 0 decides on one and charges nothing.
    pub count: u32,
}

/// One policy of a request, and the key that holds its state.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The key.
    pub key: Key,
}

/// What [`Store::acquire`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// How many of the requests are admitted.
    pub admitted: u32,
    /// Where each charge stands afterwards, for one more request of that cost.
    pub standings: Vec<Standing>,
}

/// Why a store did not answer. Never a denial.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It cannot be reached, or is known to be down: it was not asked.
    Unreachable,
    /// The connection was lost while it was asked.
    Lost,
    /// It did not answer in time.
    TimedOut,
    /// It answered with an error, or with something that is no answer.
    Refused,
    /// It answered with an error that says that it has charged nothing.
    Declined,
    /// More requests wait for it than may, or for longer: it was not asked.
    Overloaded,
    /// It was shut down.
    Closed,
}

impl StoreErrorKind {
    /// Whether the charge may have landed all the same.
    #[must_use]
    pub fn may_have_charged(self) -> bool {
        match self {
            Self::Lost | Self::TimedOut | Self::Refused | Self::Closed => true,
            Self::Unreachable | Self::Declined | Self::Overloaded => false,
        }
    }
}

impl StoreError {
    /// An error of `kind` without a further cause.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// An error of `kind`, caused by `source`.
    #[must_use]
    pub fn caused_by(
        kind: StoreErrorKind,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, source: Some(source.into()) }
    }

    /// The same error as one of another kind.
    #[cfg(feature = "redis")]
    fn into_kind(self, kind: StoreErrorKind) -> Self {
        Self { kind, ..self }
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unreachable => "the store cannot be reached",
            StoreErrorKind::Lost => "the connection to the store was lost",
            StoreErrorKind::TimedOut => "the store did not answer in time",
            StoreErrorKind::Refused => "the store refused the request",
            StoreErrorKind::Declined => "the store does not count at present",
            StoreErrorKind::Overloaded => "too many requests wait for the store",
            StoreErrorKind::Closed => "the store was shut down",
        })
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
