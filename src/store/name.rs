//! What is called by a hash in this process, where its text would cost more than its state.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};

use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// 128 bits of a hash under a secret of the process: nobody outside can find two things of one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    shard: u64,
    slot: u64,
}

impl Name {
    /// Its shard, of `shards`.
    pub(super) fn shard(self, shards: usize) -> usize {
        // The top of a product is as even as a remainder, and needs no division.
        let shard = (u128::from(self.shard) * shards as u128) >> 64;
        usize::try_from(shard).unwrap_or(0)
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.slot);
    }
}

/// Gives names, under a secret of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names(SipHasher13);

impl Names {
    pub(crate) fn of(&self, named: &(impl Hash + ?Sized)) -> Name {
        let mut hasher = self.0;
        named.hash(&mut hasher);
        let hash = hasher.finish128();
        Name { shard: hash.h1, slot: hash.h2 }
    }
}

impl Default for Names {
    fn default() -> Self {
        let secret = || RandomState::new().hash_one("secret");
        Self(SipHasher13::new_with_keys(secret(), secret()))
    }
}

/// Hashes a name, which is a hash already.
pub(crate) type BuildNameHasher = BuildHasherDefault<NameHasher>;

#[derive(Debug, Default)]
pub(crate) struct NameHasher(u64);

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
