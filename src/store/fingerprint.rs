//! What is called by a hash in this process, where its text would cost more than its state.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::{Hash128, SipHasher13};

/// Under a secret of this process.
static HASHER: LazyLock<SipHasher13> = LazyLock::new(|| {
    let secret = || RandomState::new().hash_one("secret");
    SipHasher13::new_with_keys(secret(), secret())
});

/// 128 bits of a hash under a secret of the process: nobody outside can find two things of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fingerprint {
    shard: u64,
    slot: u64,
}

impl Fingerprint {
    /// The name of a text.
    pub(crate) fn of_text(text: &str) -> Self {
        HASHER.hash(text.as_bytes()).into()
    }

    /// The name of what is called so, together with `number`. It is mixed and not hashed once more: it
    /// is secret already.
    pub(crate) fn with(self, number: u64) -> Self {
        // 2^64 over the golden ratio, which is odd: no two numbers make one name of the same.
        let mixed = |half: u64| (half ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        Self { shard: mixed(self.shard), slot: mixed(self.slot) }
    }

    /// The name of both together, in this order.
    pub(crate) fn then(self, other: Self) -> Self {
        Self { shard: self.with(other.slot).shard, slot: self.with(other.shard).slot }
    }

    /// Its shard, of `shards`.
    pub(crate) fn shard(self, shards: usize) -> usize {
        part(self.shard, shards)
    }

    /// Its place, of `places`, and a mark that tells it from the others of that place.
    pub(crate) fn slot(self, slots: usize) -> (usize, u64) {
        (part(self.slot, slots), self.shard)
    }
}

/// In which of so many equal `parts` of all hashes one lies.
fn part(hash: u64, parts: usize) -> usize {
    // The top of a product is as even as a remainder, and needs no division.
    let part = (u128::from(hash) * parts as u128) >> 64;
    usize::try_from(part).unwrap_or(0)
}

impl From<Hash128> for Fingerprint {
    fn from(hash: Hash128) -> Self {
        Self { shard: hash.h1, slot: hash.h2 }
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.slot);
    }
}

/// Hashes a name, which is a hash already.
pub(crate) type BuildFingerprintHasher = BuildHasherDefault<FingerprintHasher>;

#[derive(Debug, Default)]
pub(crate) struct FingerprintHasher(u64);

impl Hasher for FingerprintHasher {
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_name_is_the_same_for_the_same_alone() {
        let names = ["a", "b", "ab", ""].map(Fingerprint::of_text);
        let with = names.iter().flat_map(|name| [name.with(0), name.with(1), name.with(1).with(0)]);
        let pairs = names.iter().flat_map(|one| names.iter().map(|other| one.then(*other)));
        let all: Vec<Fingerprint> = names.iter().copied().chain(with).chain(pairs).collect();
        let halves = |name: &Fingerprint| [name.shard, name.slot];
        let shards: HashSet<u64> = all.iter().map(|name| name.shard).collect();
        let whole: HashSet<[u64; 2]> = all.iter().map(halves).collect();
        assert_eq!((shards.len(), whole.len()), (all.len(), all.len()));
        assert_eq!(Fingerprint::of_text("a"), names[0]);
    }
}
