//! Where state lives and decisions become atomic: the [`Store`] trait, the stores in memory and in Redis,
//! and what authors of other stores need.
//!
//! A store keeps a [`State`](crate::algorithm::State) per [`Key`]. This one keeps all states in one map behind
//! one lock, and never frees any:
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex, PoisonError};
//!
//! use tollgate::algorithm::State;
//! use tollgate::store::{Acquire, Acquired, Answer, Charge, Key, Store};
//! use tollgate::{Client, Clock, Cost, Limiter, Policy, SystemClock};
//!
//! #[derive(Debug, Default)]
//! struct MapStore(Mutex<HashMap<Key, State>>);
//!
//! impl Store for MapStore {
//!     fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
//!         let Acquire { charges, count, .. } = acquire;
//!         let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
//!         let now = SystemClock.now();
//!         let mut state_of = |charge: &Charge| {
//!             let untouched = State::untouched(charge.policy.algorithm());
//!             states.get(&charge.key).cloned().unwrap_or(untouched)
//!         };
//!         let mut found: Vec<State> = charges.iter().map(&mut state_of).collect();
//!         let mut admitted = *count;
//!         for (state, charge) in found.iter().zip(charges) {
//!             let remaining = state.standing(&charge.policy.terms(), now, charge.cost).remaining;
//!             let fit = u32::try_from(remaining / charge.cost.units()).unwrap_or(u32::MAX);
//!             admitted = admitted.min(fit);
//!         }
//!         let mut standings = Vec::new();
//!         for (state, charge) in found.iter_mut().zip(charges) {
//!             let (terms, cost) = (charge.policy.terms(), charge.cost);
//!             let units = u64::from(admitted) * cost.units();
//!             let writes = units > 0 || (*count > 0 && state.is_astray(&terms, now));
//!             standings.push(if writes {
//!                 state.charge(&terms, now, units, cost)
//!             } else {
//!                 state.standing(&terms, now, cost)
//!             });
//!             if writes {
//!                 states.insert(charge.key.clone(), state.clone());
//!             }
//!         }
//!         Answer::ready(Ok(Acquired::new(admitted, standings)))
//!     }
//!
//!     fn reset(&self, keys: Vec<Key>) -> Answer<()> {
//!         let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
//!         states.retain(|key, _| !keys.contains(key));
//!         Answer::ready(Ok(()))
//!     }
//! }
//!
//! let policy = Policy::new("default", "2/minute".parse()?)?;
//! let limiter = Limiter::builder(Arc::new(MapStore::default())).policy(policy).build()?;
//! let policies = limiter.policies(["default"])?;
//! let mut check = || limiter.check(&policies, Cost::ONE, &Client::user("1042")).wait();
//! assert!(check()?.is_allowed() && check()?.is_allowed());
//! assert!(!check()?.is_allowed());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use self::answer::Answer;
pub(crate) use self::answer::Awaited;
pub(crate) use self::answered::Few;
pub use self::answered::{Acquired, Ban, Refunded, TrialAnswer};
pub use self::asked::{Acquire, Charge, PenaltyKey, Refund, Trial};
pub use self::clocks::{MonotonicClock, SystemClock};
pub use self::contract::{Debtor, Store};
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) use self::defer::DeferTask;
pub use self::error::{StoreError, StoreErrorKind};
pub(crate) use self::fingerprint::{BuildFingerprintHasher, Fingerprint};
#[cfg(feature = "server")]
pub(crate) use self::histogram::HistogramCounts;
#[cfg(feature = "redis")]
pub(crate) use self::histogram::{Histogram, MICROS};
pub use self::keyspace::{Key, Keyspace};
pub(crate) use self::maybe_ready::MaybeReady;
pub(crate) use self::memory::{FallbackRequest, LastKnown};
pub use self::memory::{MemoryStatus, MemoryStore, NewKeys, PolicyKeys};
pub use self::overrides::{OverrideStore, OverrideText, ReplaceOverrides};
#[cfg(feature = "redis")]
#[doc(hidden)]
pub use self::redis::lua;
#[cfg(feature = "server")]
pub(crate) use self::redis::{Finding, Level, Look, examine, look};
#[cfg(feature = "redis")]
pub use self::redis::{RedisOptions, RedisStatus, RedisStore, RedisUrl, RedisUrlError};
#[cfg(feature = "tls")]
pub use self::redis::{RedisTls, RedisTlsError};
pub use self::slot::Slot;
pub(crate) use self::slot::new_slots;

mod answer;
mod answered;
mod asked;
mod clocks;
mod contract;
#[cfg_attr(
    not(all(feature = "actix", feature = "redis")),
    allow(dead_code, reason = "the doors spawn the task, the Redis store defers work to it")
)]
mod defer;
mod error;
mod fingerprint;
#[cfg(feature = "redis")]
mod histogram;
mod keyspace;
mod maybe_ready;
mod memory;
mod overrides;
#[cfg(feature = "redis")]
mod redis;
mod slot;
