//! How full a memory store is, for monitoring.

use super::crowding::{FILLING, FULL};
use super::shard::Shard;
use super::shards::MemoryStore;

/// How full a [`MemoryStore`] is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStatus {
    /// How many keys it holds, overflow counts aside. Keys whose quota is whole are among them until their
    /// places are needed.
    pub keys: usize,
    /// How many keys it may hold.
    pub max_keys: usize,
    /// One entry for each policy that it has seen, in the order of names.
    pub policies: Vec<PolicyKeys>,
}

/// How many keys a policy has in a [`MemoryStore`], and what that means for new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyKeys {
    /// The policy's name.
    pub policy: String,
    /// How many keys it has, as in [`MemoryStatus::keys`].
    pub keys: usize,
    /// How new keys are counted now.
    pub new_keys: NewKeys,
    /// Requests that were counted together with those of a wider network, since the store was made.
    pub coarse: u64,
    /// Requests that were counted in an overflow count, since the store was made.
    pub overflow: u64,
}

/// How a [`MemoryStore`] counts the keys that it does not hold yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NewKeys {
    /// Each by itself.
    Alone,
    /// IPv6 clients together with others of a wider network, all others by themselves.
    ByWiderNetwork,
    /// All of them together, in overflow counts.
    Together,
}

impl MemoryStore {
    /// How full it is. If a policy has little room, keys whose quota is whole are evicted first.
    #[must_use]
    pub fn status(&self) -> MemoryStatus {
        let policies = self.watches.all().into_iter().map(|watch| {
            let (coarse, overflow) = watch.counts();
            let policy = watch.policy().to_owned();
            PolicyKeys { policy, keys: 0, new_keys: NewKeys::Alone, coarse, overflow }
        });
        let mut policies: Vec<_> = policies.collect();
        policies.sort_unstable_by(|one, other| one.policy.cmp(&other.policy));
        for shard in 0..self.key_shards {
            let mut shard = self.lock(shard);
            let now = self.clock.now();
            let Shard { entries, .. } = &mut *shard;
            for (watch, keys, taken) in entries.rooms(now) {
                let new_keys = match taken {
                    FULL.. => NewKeys::Together,
                    FILLING.. if watch.is_by_address() => NewKeys::ByWiderNetwork,
                    _ => NewKeys::Alone,
                };
                // A policy that was first seen just now is missing this time.
                let found = policies.binary_search_by(|it| it.policy.as_str().cmp(watch.policy()));
                if let Some(it) = found.ok().and_then(|place| policies.get_mut(place)) {
                    it.keys += keys;
                    it.new_keys = it.new_keys.max(new_keys);
                }
            }
        }
        let keys = policies.iter().map(|policy| policy.keys).sum();
        MemoryStatus { keys, max_keys: self.max_keys, policies }
    }
}
