//! How far away a server is.

use std::time::{Duration, Instant};

/// For how long a call counts at least.
const SPAN: Duration = Duration::from_secs(1);

/// A reply that is due so soon is worth waiting for: one call of many requests costs Redis and this process less than
/// many calls.
#[cfg(any(feature = "actix", feature = "tower"))]
const SOON: Duration = Duration::from_micros(100);

/// A server whose replies take no longer is near. If one is late, the server is busy, and not far.
const NEAR: Duration = Duration::from_micros(200);

/// The shortest that a call took lately. Longer ones waited, for the server or for a processor.
#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    /// When the present span began.
    since: Option<Instant>,
    present: Option<Duration>,
    /// Of the span before it.
    past: Option<Duration>,
}

impl RoundTrip {
    /// Learns that a call took so long until `now`.
    pub(super) fn observe(&mut self, took: Duration, now: Instant) {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= SPAN) {
            self.since = Some(now);
            self.past = self.present.take();
        }
        self.present = Some(self.present.map_or(took, |it| it.min(took)));
    }

    /// Whether requests wait for the reply to a call that was sent so long ago, to go out together when it comes.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn is_worth_a_wait(&self, age: Duration) -> bool {
        let shortest = self.shortest();
        !self.is_far() || (age < shortest && shortest - age <= SOON)
    }

    /// Whether every call takes long.
    pub(super) fn is_far(&self) -> bool {
        self.shortest() > NEAR
    }

    /// The shortest of the last one or two spans; zero before the first call.
    fn shortest(&self) -> Duration {
        self.present.into_iter().chain(self.past).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(any(feature = "actix", feature = "tower"))]
    #[test]
    fn requests_wait_for_a_near_server_and_for_the_end_of_a_long_way() {
        let us = Duration::from_micros;
        let of = |took| {
            let mut trip = RoundTrip::default();
            trip.observe(us(took), Instant::now());
            trip
        };
        assert!(RoundTrip::default().is_worth_a_wait(us(0)));
        for age in [0, 50, 200, 10_000] {
            assert!(of(200).is_worth_a_wait(us(age)), "{age}");
        }
        for (age, waits) in [(0, false), (899, false), (900, true), (999, true), (1_000, false)] {
            assert_eq!(of(1_000).is_worth_a_wait(us(age)), waits, "{age}");
        }
    }

    #[test]
    fn the_shortest_call_counts_until_it_is_old() {
        let ms = Duration::from_millis;
        let begun = Instant::now();
        let mut trip = RoundTrip::default();
        assert_eq!(trip.shortest(), Duration::ZERO);
        trip.observe(ms(3), begun);
        trip.observe(ms(1), begun + ms(10));
        trip.observe(ms(2), begun + ms(20));
        assert_eq!(trip.shortest(), ms(1));
        trip.observe(ms(4), begun + ms(1_000));
        assert_eq!(trip.shortest(), ms(1));
        trip.observe(ms(5), begun + ms(2_000));
        assert_eq!(trip.shortest(), ms(4));
    }
}
