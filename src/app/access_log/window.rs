//! Sorts the requests of a file: a [`Window`] of time. Servers write lines when responses end, not when requests begin.

use super::request::LoggedRequest;
use crate::domain::clock::Millis;

/// How much later than its time a request may come.
pub(super) const LENGTH: Millis = 10_000;

/// How many requests are worth a round of sorting.
const ROUND: usize = 4_096;

/// How many requests are kept at most. At a higher rate the window is shorter.
const MOST: usize = 1 << 20;

/// Requests that others may still precede.
#[derive(Debug)]
pub(super) struct Window {
    /// How many requests are kept at most.
    most: usize,
    /// In the order of lines, behind those that are sorted already.
    requests: Vec<LoggedRequest>,
    /// The latest time in any line.
    latest: Millis,
    /// The time of the last request that was handed out.
    released: Millis,
    /// How many stayed after the last round.
    stayed: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Window {
    /// A window of at most as many requests.
    fn of(most: usize) -> Self {
        Self { most, requests: Vec::new(), latest: 0, released: 0, stayed: 0 }
    }

    /// Takes the request of the next line, which has the time `logged_at`. Returns whether it came too late.
    pub(super) fn push(&mut self, mut request: LoggedRequest, logged_at: Millis) -> bool {
        self.latest = self.latest.max(logged_at);
        let earliest = self.latest.saturating_sub(LENGTH).max(self.released);
        let is_late = request.began_at() < earliest;
        if is_late {
            request.mark_late();
            request.move_to(earliest);
        }
        self.requests.push(request);
        is_late
    }

    /// Whether enough requests are there for a round: twice as many as stayed, so that each is sorted about twice.
    pub(super) fn is_due(&self) -> bool {
        self.requests.len() >= (2 * self.stayed).max(ROUND).min(self.most)
    }

    /// The requests that no other can precede any more, in order of time.
    pub(super) fn release(&mut self) -> Vec<LoggedRequest> {
        let earliest = self.latest.saturating_sub(LENGTH);
        self.sort();
        let mut count = self.requests.partition_point(|it| it.began_at() < earliest);
        if self.requests.len() >= self.most {
            count = count.max(self.most / 2);
        }
        let stay = self.requests.split_off(count);
        let released = std::mem::replace(&mut self.requests, stay);
        self.stayed = self.requests.len();
        self.in_their_place(released)
    }

    /// The last requests, in order of time.
    pub(super) fn finish(&mut self) -> Vec<LoggedRequest> {
        self.sort();
        let released = std::mem::take(&mut self.requests);
        self.in_their_place(released)
    }

    /// Sorts by time. Requests of the same time keep the order of their lines.
    fn sort(&mut self) {
        self.requests.sort_by_key(LoggedRequest::began_at);
    }

    /// Gives those that came too late the time of the request before them.
    fn in_their_place(&mut self, mut requests: Vec<LoggedRequest>) -> Vec<LoggedRequest> {
        for request in &mut requests {
            if request.is_late() && self.released > 0 {
                request.move_to(self.released);
            }
            self.released = request.began_at();
        }
        requests
    }
}

#[cfg(test)]
mod tests;
