use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Millis;

/// What is no outage is mentioned in the log no more often than this.
const INTERVAL: Millis = 10_000;

/// Says when something may be mentioned again.
#[derive(Debug, Default)]
pub(super) struct Seldom(
    /// One more than when it was last; 0 before.
    AtomicU64,
);

impl Seldom {
    /// Whether it may be at `now`; then it is.
    pub(super) fn is_due(&self, now: Millis) -> bool {
        let (now, last) = (now + 1, self.0.load(Ordering::Relaxed));
        let due = last == 0 || now >= last + INTERVAL;
        due && self.0.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_at_first_and_once_in_each_interval() {
        let seldom = Seldom::default();
        let due: Vec<Millis> = (0..=2 * INTERVAL).filter(|now| seldom.is_due(*now)).collect();
        assert_eq!(due, [0, INTERVAL, 2 * INTERVAL]);
    }
}
