//! When a client sent its requests: [`Times`].

use crate::domain::clock::Millis;
use crate::domain::quota::MAX_EXACT;

/// The times of a client's requests, in order. A request takes 4 bytes, and up to 8 while more are added.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// Each time in ms, counted from the last base at or before it.
    offsets: Vec<u32>,
    first: Millis,
    /// Bases after the first one. An offset spans 49 days, so most clients have none.
    later: Vec<Base>,
}

/// What offsets are counted from.
#[derive(Clone, Copy, Debug)]
struct Base {
    /// The index of the first offset that is counted from it.
    index: usize,
    at: Millis,
}

/// Consecutive requests that are counted from the same base.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    base: Millis,
    offsets: &'a [u32],
}

impl Times {
    /// Adds a request at `at`. One that is before the last request counts as of the time of that one.
    pub(super) fn push(&mut self, at: Millis) {
        // No decision counts in larger numbers.
        let at = at.min(MAX_EXACT);
        if self.offsets.is_empty() {
            self.first = at;
        }
        let base = self.later.last().map_or(self.first, |base| base.at);
        let last = self.offsets.last().map_or(0, |offset| u64::from(*offset));
        let offset = at.saturating_sub(base).max(last);
        let offset = u32::try_from(offset).unwrap_or_else(|_| {
            self.later.push(Base { index: self.offsets.len(), at });
            0
        });
        self.offsets.push(offset);
    }

    /// How many requests there are.
    pub(super) fn len(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// All times.
    pub(super) fn iter(&self) -> impl Iterator<Item = Millis> {
        self.parts().flat_map(|part| {
            let base = part.base;
            part.offsets.iter().map(move |offset| base + u64::from(*offset))
        })
    }

    /// All times, in parts that can be searched.
    pub(super) fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let first = Base { index: 0, at: self.first };
        let bases = std::iter::once(first).chain(self.later.iter().copied());
        let ends = self.later.iter().map(|base| base.index).chain([self.offsets.len()]);
        bases.zip(ends).map(|(base, end)| Part {
            base: base.at,
            offsets: self.offsets.get(base.index..end).unwrap_or_default(),
        })
    }

    /// Gives back the room that no request has taken.
    pub(super) fn shrink(&mut self) {
        self.offsets.shrink_to_fit();
    }
}

impl Part<'_> {
    /// The time of its first request.
    pub(super) fn first(&self) -> Option<Millis> {
        self.offsets.first().map(|offset| self.base + u64::from(*offset))
    }

    /// Leaves out the first request.
    pub(super) fn skip_one(&mut self) {
        self.offsets = self.offsets.get(1..).unwrap_or_default();
    }

    /// Leaves out the requests before `until`, and returns how many those are.
    pub(super) fn skip_before(&mut self, until: Millis) -> u64 {
        let base = self.base;
        let skipped = self.offsets.partition_point(|offset| base + u64::from(*offset) < until);
        self.offsets = self.offsets.get(skipped..).unwrap_or_default();
        skipped as u64
    }
}

impl FromIterator<Millis> for Times {
    fn from_iter<I: IntoIterator<Item = Millis>>(times: I) -> Self {
        let mut all = Self::default();
        times.into_iter().for_each(|at| all.push(at));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 86_400_000;

    #[test]
    fn times_come_back_however_far_apart_they_are() {
        let times = [5, 5, 6, DAY, 49 * DAY, 50 * DAY, 50 * DAY + 1, 200 * DAY, 1_790_000_000_000];
        let kept: Times = times.into_iter().collect();
        assert_eq!(kept.iter().collect::<Vec<_>>(), times);
        assert_eq!(kept.len(), 9);
    }

    #[test]
    fn a_time_before_the_last_one_is_taken_for_that_one() {
        let kept: Times = [100, 90, 60 * DAY, 1, u64::MAX].into_iter().collect();
        let expected = [100, 100, 60 * DAY, 60 * DAY, MAX_EXACT];
        assert_eq!(kept.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_part_skips_what_is_before_a_time() {
        let kept: Times = [10, 20, 20, 30].into_iter().collect();
        let mut part = kept.parts().next().unwrap();
        assert_eq!((part.skip_before(20), part.first()), (1, Some(20)));
        part.skip_one();
        assert_eq!((part.skip_before(31), part.first()), (2, None));
        assert!(Times::default().parts().all(|part| part.first().is_none()));
    }
}
