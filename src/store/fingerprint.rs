//! Hashes that stand for texts in this process, where a text would need more memory than its state.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::{Hash128, SipHasher13};

/// Keyed with a secret of this process.
static HASHER: LazyLock<SipHasher13> = LazyLock::new(|| {
    let secret = || RandomState::new().hash_one("secret");
    SipHasher13::new_with_keys(secret(), secret())
});

/// 128 bits of a hash that is keyed with a per-process secret, so that clients cannot construct collisions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fingerprint {
    shard: u64,
    slot: u64,
}

impl Fingerprint {
    /// The fingerprint of a text.
    pub(crate) fn of_text(text: &str) -> Self {
        HASHER.hash(text.as_bytes()).into()
    }

    /// The fingerprint of this together with `number`. It is mixed rather than hashed again, since it is
    /// secret already.
    pub(crate) fn with(self, number: u64) -> Self {
        // 2^64 divided by the golden ratio. It is odd, so different numbers give different results.
        let mixed = |half: u64| (half ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        Self { shard: mixed(self.shard), slot: mixed(self.slot) }
    }

    /// The fingerprint of both together, in this order.
    pub(crate) fn then(self, other: Self) -> Self {
        Self { shard: self.with(other.slot).shard, slot: self.with(other.shard).slot }
    }

    /// Its shard among `shards`.
    pub(crate) fn shard(self, shards: usize) -> usize {
        part(self.shard, shards)
    }

    /// Its slot among `slots`, and a mark that tells it from others in the same slot.
    pub(crate) fn slot(self, slots: usize) -> (usize, u64) {
        (part(self.slot, slots), self.shard)
    }
}

/// The index of the part that `hash` is in, if all hashes are divided into equal `parts`.
fn part(hash: u64, parts: usize) -> usize {
    // The upper half of the product is as evenly distributed as a remainder, and needs no division.
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

/// Hashes a fingerprint, which is a hash already.
pub(crate) type BuildFingerprintHasher = BuildHasherDefault<FingerprintHasher>;

#[derive(Clone, Debug, Default)]
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
    fn only_equal_texts_have_equal_fingerprints() {
        let texts = ["a", "b", "ab", ""].map(Fingerprint::of_text);
        let with = texts.iter().flat_map(|it| [it.with(0), it.with(1), it.with(1).with(0)]);
        let pairs = texts.iter().flat_map(|one| texts.iter().map(|other| one.then(*other)));
        let all: Vec<Fingerprint> = texts.iter().copied().chain(with).chain(pairs).collect();
        let halves = |it: &Fingerprint| [it.shard, it.slot];
        let shards: HashSet<u64> = all.iter().map(|it| it.shard).collect();
        let whole: HashSet<[u64; 2]> = all.iter().map(halves).collect();
        assert_eq!((shards.len(), whole.len()), (all.len(), all.len()));
        assert_eq!(Fingerprint::of_text("a"), texts[0]);
    }
}
