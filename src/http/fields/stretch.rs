//! Longer waits, so that the clients which were denied together do not come back together.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use crate::domain::clock::{Millis, millis};
use crate::domain::policy::Share;

/// By how much all waits of one answer are longer than they have to be: never shorter, and by the same part of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The most that is added.
    most: Share,
    /// How much of that is added, in parts of 2^32.
    part: u32,
}

impl Stretch {
    /// Every wait is as long as it has to be.
    pub(crate) const NONE: Self = Self { most: Share::NONE, part: 0 };

    /// A random stretch of up to `most`.
    pub(crate) fn drawn(most: Share) -> Self {
        Self::by(most, random)
    }

    fn by(most: Share, random: impl FnOnce() -> u32) -> Self {
        if most == Share::NONE { Self::NONE } else { Self { most, part: random() } }
    }

    /// `wait`, and what is added to it.
    pub(crate) fn of(self, wait: Millis) -> Millis {
        if self == Self::NONE {
            return wait;
        }
        let factor = u128::from(self.most.basis_points()) * u128::from(self.part);
        let added = (u128::from(wait) * factor / 10_000) >> u32::BITS;
        wait.saturating_add(u64::try_from(added).unwrap_or(u64::MAX))
    }

    /// `wait`, and what is added to it.
    pub(crate) fn of_duration(self, wait: Duration) -> Duration {
        if self == Self::NONE { wait } else { Duration::from_millis(self.of(millis(wait))) }
    }
}

/// A number that clients cannot foresee. The keyed hash of a count is one, and costs less than asking the system.
fn random() -> u32 {
    thread_local! {
        static KEY: RandomState = RandomState::new();
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }
    let count = COUNT.replace(COUNT.get().wrapping_add(1));
    let hash = KEY.with(|key| key.hash_one(count));
    u32::try_from(hash >> u32::BITS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 86_400_000;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_added_is_from_nothing_to_the_share_and_never_negative() {
        for (most, part, wait, expected) in [
            ("10%", 0, 60_000, 60_000),
            ("10%", 1 << 31, 60_000, 63_000),
            ("10%", u32::MAX, 60_000, 65_999),
            ("100%", u32::MAX, DAY, 2 * DAY - 1),
            ("0.01%", u32::MAX, 9_999, 9_999),
            ("0%", u32::MAX, DAY, DAY),
            ("100%", 7, 0, 0),
            ("100%", u32::MAX, Millis::MAX, Millis::MAX),
        ] {
            let stretch = Stretch::by(share(most), || part);
            assert_eq!(stretch.of(wait), expected, "{most} {part}");
            let wait = Duration::from_millis(wait);
            assert_eq!(stretch.of_duration(wait), Duration::from_millis(expected));
        }
    }

    #[test]
    fn without_jitter_nothing_is_drawn() {
        assert_eq!(Stretch::by(Share::NONE, || panic!("it draws")), Stretch::NONE);
    }

    #[test]
    fn denials_are_spread_over_the_whole_share() {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let added = Stretch::drawn(Share::ALL).of(DAY) - DAY;
            tenths[usize::try_from(added * 10 / DAY).unwrap()] += 1;
        }
        // 1000 each; by chance one in far more than 10^20 runs is outside of this.
        assert!(tenths.iter().all(|it| (650..1_400).contains(it)), "{tenths:?}");
    }
}
