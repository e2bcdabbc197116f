//! Keeps a line that could come again and again from filling the log.

use std::sync::{Mutex, PoisonError};

use crate::domain::clock::Millis;

/// Says when the log may mention something that happens again and again.
///
/// It may be mentioned at first, and then after an interval that doubles while it goes on, up to the
/// longest one. If it does not happen for as long as the interval, the first interval holds again.
#[derive(Debug)]
pub(crate) struct LogThrottle {
    first: Millis,
    longest: Millis,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When it was last mentioned.
    mentioned: Option<Millis>,
    interval: Millis,
    happened: Millis,
    /// How often it has happened since it was last mentioned.
    times: u64,
}

impl LogThrottle {
    pub(crate) const fn new(first: Millis, longest: Millis) -> Self {
        let state = State { mentioned: None, interval: 0, happened: 0, times: 0 };
        Self { first, longest, state: Mutex::new(state) }
    }

    /// Learns that it happened at `now`. If it may be mentioned, returns how often it has happened since
    /// it was last mentioned.
    pub(crate) fn happened(&self, now: Millis) -> Option<u64> {
        self.may_mention(now, true)
    }

    /// The same for something that goes on without having happened again.
    pub(crate) fn goes_on(&self, now: Millis) -> Option<u64> {
        self.may_mention(now, false)
    }

    /// Learns that it is mentioned in any case. Returns how often it has happened since it was last
    /// mentioned.
    pub(crate) fn mention(&self, now: Millis) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.interval = state.interval.max(self.first);
        state.mentioned = Some(now);
        std::mem::take(&mut state.times)
    }

    fn may_mention(&self, now: Millis, is_new: bool) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let calm = now.saturating_sub(state.happened) >= state.interval;
        if is_new {
            state.times += 1;
            state.happened = now;
        }
        if state.mentioned.is_some_and(|then| now < then.saturating_add(state.interval)) {
            return None;
        }
        state.interval = match state.mentioned {
            Some(_) if !(is_new && calm) => (state.interval * 2).min(self.longest),
            _ => self.first,
        };
        state.mentioned = Some(now);
        Some(std::mem::take(&mut state.times))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_mentioned_less_and_less() {
        let throttle = LogThrottle::new(10, 80);
        let mentioned: Vec<_> =
            (0..400).filter_map(|now| Some((now, throttle.happened(now)?))).collect();
        assert_eq!(
            mentioned,
            [(0, 1), (10, 10), (30, 20), (70, 40), (150, 80), (230, 80), (310, 80), (390, 80)]
        );
    }

    #[test]
    fn after_a_calm_it_is_as_if_new() {
        let throttle = LogThrottle::new(10, 80);
        assert_eq!((0..100).filter_map(|now| throttle.happened(now)).count(), 4);
        // It was mentioned at 70, and happened at 99.
        assert_eq!(throttle.happened(99 + 80), Some(30));
        assert_eq!(throttle.happened(99 + 90), Some(1));
    }

    #[test]
    fn what_was_not_mentioned_is_while_it_goes_on() {
        let throttle = LogThrottle::new(10, 80);
        assert_eq!(throttle.happened(0), Some(1));
        assert_eq!(
            (throttle.happened(3), throttle.goes_on(9), throttle.goes_on(10)),
            (None, None, Some(1))
        );
        assert_eq!((throttle.goes_on(29), throttle.goes_on(30)), (None, Some(0)));
    }
}
