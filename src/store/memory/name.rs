use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::store::Key;

/// What a key is called in this process: 128 bits of a hash under two secrets, so that an entry has
/// no text to keep, and nobody outside can find two keys of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name {
    shard: u64,
    slot: u64,
}

impl Name {
    /// Its shard, of `shards`.
    pub(super) fn shard(self, shards: usize) -> usize {
        usize::try_from(self.shard % shards.max(1) as u64).unwrap_or(0)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.slot);
    }
}

/// Names keys, by secrets of its own.
#[derive(Debug, Default)]
pub(super) struct Names(RandomState, RandomState);

impl Names {
    pub(super) fn of(&self, key: &Key) -> Name {
        Name { shard: self.0.hash_one(key.as_str()), slot: self.1.hash_one(key.as_str()) }
    }
}

/// Hashes a name, which is a hash already.
pub(super) type BuildNameHasher = BuildHasherDefault<NameHasher>;

#[derive(Debug, Default)]
pub(super) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, slot: u64) {
        self.0 = slot;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
