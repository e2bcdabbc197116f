//! How full a memory store is, for whoever watches it.

use super::crowding::{FILLING, FULL};
use super::shard::Shard;
use super::shards::MemoryStore;

/// How full a [`MemoryStore`] is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryStatus {
    /// Keys that it holds, overflow counts aside; those whose quota is whole are among them until room
    /// is wanted.
    pub keys: usize,
    /// Keys that it may hold.
    pub max_keys: usize,
    /// Of each policy that it knows, by name.
    pub policies: Vec<PolicyKeys>,
}

/// How many keys a policy has in a [`MemoryStore`], and what that means for new ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyKeys {
    /// The policy's name.
    pub policy: String,
    /// Keys that it has, as [`MemoryStatus::keys`] counts them.
    pub keys: usize,
    /// How new keys are counted now.
    pub new_keys: NewKeys,
    /// Requests that were counted together with those of a wider network, since the store was made.
    pub coarse: u64,
    /// Requests that were counted in an overflow count, likewise.
    pub overflow: u64,
}

/// How a [`MemoryStore`] counts the keys that it does not hold yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NewKeys {
    /// Each by itself.
    Alone,
    /// IPv6 networks together with their neighbours, all others by themselves.
    ByWiderNetwork,
    /// With each other.
    Together,
}

impl MemoryStore {
    /// How full it is. Where a policy has little room, keys whose quota is whole are evicted first.
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
                // A policy that came in between is told of the next time.
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
