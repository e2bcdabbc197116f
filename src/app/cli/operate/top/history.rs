//! The figures of the last seconds, which rates are made of.

use std::collections::VecDeque;

use super::figures::Figures;
use crate::domain::clock::Millis;

/// How far back rates look, in milliseconds.
const WINDOW: Millis = 10_000;

/// The figures of the last seconds, the newest last. There is always one.
pub(super) struct History {
    before: VecDeque<Figures>,
    last: Figures,
}

impl History {
    pub(super) fn new(first: Figures) -> Self {
        Self { before: VecDeque::new(), last: first }
    }

    pub(super) fn last(&self) -> &Figures {
        &self.last
    }

    pub(super) fn add(&mut self, figures: Figures) {
        let begin = figures.at.saturating_sub(WINDOW);
        self.before.push_back(std::mem::replace(&mut self.last, figures));
        // Rates need one figure from before, however long ago that was.
        while self.before.len() > 1 && self.before.front().is_some_and(|it| it.at < begin) {
            self.before.pop_front();
        }
    }

    /// How much `count` grew in a second; `None` until there are two figures that have it. A count that falls, as
    /// after a restart of the process or when a period of counts ends, has not grown meanwhile.
    pub(super) fn rate(&self, count: impl Fn(&Figures) -> Option<u64>) -> Option<f64> {
        let all = self.before.iter().chain([&self.last]);
        let counts: Vec<(Millis, Option<u64>)> = all.map(|it| (it.at, count(it))).collect();
        let (mut grown, mut time) = (0, 0);
        for pair in counts.windows(2) {
            let [(from, Some(before)), (to, Some(after))] = pair else { continue };
            grown += after.saturating_sub(*before);
            time += to.saturating_sub(*from);
        }
        #[allow(clippy::cast_precision_loss, reason = "what is shown has three digits")]
        let rate = grown as f64 * 1_000.0 / time as f64;
        (time > 0).then_some(rate)
    }
}
