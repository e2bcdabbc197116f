//! What the scripts are told of calendars: when the windows around their time begin.

use super::sent::Sent;
use crate::domain::calendar::{Calendar, STARTS};
use crate::domain::clock::{Clock as _, Millis};
use crate::store::SystemClock;

/// The windows of all calendars that one call needs, in order. Most calls need none, and then it holds nothing.
pub(super) struct Calendars {
    now: Option<Millis>,
    sent: Sent,
    /// From when and until when all windows are known.
    known: (Millis, Millis),
    starts: Vec<[Millis; STARTS]>,
}

impl Calendars {
    /// Those around `now`, or around the time that the server is expected to have when it is `sent`.
    pub(super) fn around(now: Option<Millis>, sent: Sent) -> Self {
        Self { now, sent, known: (0, Millis::MAX), starts: Vec::new() }
    }

    pub(super) fn push(&mut self, calendar: Calendar) {
        // All are around one time.
        let now = *self.now.get_or_insert_with(|| expected(self.sent));
        let windows = calendar.windows(now);
        let starts = windows.starts();
        self.known = (self.known.0.max(starts[0]), self.known.1.min(windows.next().end));
        self.starts.push(starts);
    }

    /// The argument, if there are any.
    pub(super) fn into_argument(self) -> Option<Vec<u8>> {
        let (from, until) = self.known;
        let numbers = [from, until].into_iter().chain(self.starts.iter().flatten().copied());
        (!self.starts.is_empty()).then(|| numbers.flat_map(u64::to_be_bytes).collect())
    }
}

/// The windows of one calendar around `at`, or around the time that the server is expected to have.
pub(super) fn around(calendar: Calendar, at: Option<Millis>, sent: Sent) -> Vec<u8> {
    let starts = calendar.windows(at.unwrap_or_else(|| expected(sent))).starts();
    starts.into_iter().flat_map(u64::to_be_bytes).collect()
}

/// What the server's clock shows about now, as far as it is known.
fn expected(sent: Sent) -> Millis {
    sent.told().unwrap_or_else(|| SystemClock.now())
}
