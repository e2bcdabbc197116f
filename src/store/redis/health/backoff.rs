//! A wait that grows with each failure, and shrinks with the calm between failures.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::clock::Millis;

/// How often the wait doubles at most.
const MOST_DOUBLINGS: u32 = 4;

/// It begins without a wait. Each failure doubles the wait, up to sixteen times the first. Each calm
/// of a given length takes one step back.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Millis,
    calm: Millis,
    steps: AtomicU32,
}

impl Backoff {
    /// A backoff without a wait, whose first wait will be `first`. A calm as long as the longest wait takes
    /// a step back.
    pub(crate) fn new(first: Millis) -> Self {
        Self { first, calm: first << MOST_DOUBLINGS, steps: AtomicU32::new(0) }
    }

    /// The same, but a calm of `calm` takes a step back.
    pub(crate) fn with_calm(self, calm: Millis) -> Self {
        Self { calm, ..self }
    }

    /// The longest wait.
    pub(crate) fn longest(&self) -> Millis {
        self.first << MOST_DOUBLINGS
    }

    /// Learns of a failure after a calm of `calm`.
    pub(crate) fn again(&self, calm: Millis) {
        let back = u32::try_from(calm / self.calm.max(1)).unwrap_or(u32::MAX);
        let step = |steps: u32| match back {
            0 => (steps + 1).min(MOST_DOUBLINGS + 1),
            back => steps.saturating_sub(back),
        };
        let steps = self.steps.load(Ordering::Acquire);
        // Only one thread at a time opens a breaker or probes, so that no update is lost.
        self.steps.store(step(steps), Ordering::Release);
    }

    /// Forgets all failures.
    pub(crate) fn reset(&self) {
        self.steps.store(0, Ordering::Release);
    }

    pub(crate) fn wait(&self) -> Millis {
        match self.steps.load(Ordering::Acquire) {
            0 => 0,
            steps => self.first << (steps - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_without_calm_and_shrinks_with_it() {
        let backoff = Backoff::new(250);
        let mut waits = vec![backoff.wait()];
        for calm in [0, 3_999, 100, 0, 0, 0, 4_000, 8_000, 0, u64::MAX] {
            backoff.again(calm);
            waits.push(backoff.wait());
        }
        assert_eq!(waits, [0, 250, 500, 1_000, 2_000, 4_000, 4_000, 2_000, 500, 1_000, 0]);
    }
}
