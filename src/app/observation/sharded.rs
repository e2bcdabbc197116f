//! Counters that many threads increment without waiting for each other.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many counters there are side by side, which is how many fill a cache line.
pub(super) const WIDTH: usize = 8;

/// How many threads have counters of their own. More threads share them.
const SHARDS: usize = 16;

thread_local! {
    /// The shard of this thread.
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

/// Some counters, in one cache line for each shard of threads.
#[derive(Debug, Default)]
pub(super) struct Sharded([Line; SHARDS]);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; WIDTH]);

impl Sharded {
    /// Adds one to a counter.
    pub(super) fn add(&self, counter: usize) {
        let shard = SHARD.with(|shard| *shard);
        self.0[shard].0[counter].fetch_add(1, Ordering::Relaxed);
    }

    /// What all threads have counted together.
    pub(super) fn get(&self, counter: usize) -> u64 {
        self.0.iter().map(|line| line.0[counter].load(Ordering::Relaxed)).sum()
    }
}
