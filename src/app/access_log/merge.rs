//! Merges files in order of time: a [`Merge`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::Receiver;
use std::vec;

use super::log_file::{Batch, LogFile};
use super::pool::{Delivery, Pool};
use super::request::LoggedRequest;
use super::tally::Tally;
use crate::domain::clock::Millis;

/// The requests of several files, in order of time. Requests of the same time are in the order of the files.
#[derive(Debug)]
pub(super) struct Merge {
    pool: Pool,
    lanes: Vec<Lane>,
    /// The files that are not at their end, by the time of their next request.
    next: BinaryHeap<Reverse<(Millis, usize)>>,
    /// The time of the last request.
    now: Millis,
    /// How many requests were earlier than the request before them.
    late: u64,
}

/// One of the files.
#[derive(Debug)]
struct Lane {
    /// A file whose time has not come.
    waiting: Option<LogFile>,
    /// The batch that is read ahead.
    ahead: Option<Receiver<Delivery>>,
    requests: vec::IntoIter<LoggedRequest>,
    tally: Tally,
}

impl Merge {
    pub(super) fn new(files: Vec<LogFile>, pool: Pool) -> Self {
        let begins = files.iter().map(LogFile::begins_at).enumerate();
        let next = begins.map(|(index, begins_at)| Reverse((begins_at, index))).collect();
        let lanes = files.into_iter().map(Lane::new).collect();
        Self { pool, lanes, next, now: 0, late: 0 }
    }

    /// Appends up to `most` requests to `requests`.
    pub(super) fn read(&mut self, requests: &mut Vec<LoggedRequest>, most: usize) {
        let mut left = most;
        while left > 0 {
            let Some(Reverse((_, index))) = self.next.pop() else { return };
            let limit = self.next.peek().map(|Reverse(other)| *other);
            let lane = &mut self.lanes[index];
            while let Some(request) = lane.requests.as_slice().first()
                && limit.is_none_or(|limit| (request.began_at(), index) < limit)
                && left > 0
                && let Some(mut request) = lane.requests.next()
            {
                // A file may have been replaced since its first lines were looked at.
                if request.began_at() < self.now {
                    request.move_to(self.now);
                    self.late += 1;
                }
                self.now = request.began_at();
                left -= 1;
                requests.push(request);
            }
            if let Some(at) = lane.next_at(&self.pool) {
                self.next.push(Reverse((at, index)));
            }
        }
    }

    /// How many requests came too late to be merged in, beside those that came too late within their file.
    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// What is counted of each file so far.
    pub(super) fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.lanes.iter().map(|lane| &lane.tally)
    }
}

impl Lane {
    fn new(file: LogFile) -> Self {
        let tally = file.tally().clone();
        Self { waiting: Some(file), ahead: None, requests: Vec::new().into_iter(), tally }
    }

    /// The time of the next request; `None` at the end.
    fn next_at(&mut self, pool: &Pool) -> Option<Millis> {
        loop {
            if let Some(request) = self.requests.as_slice().first() {
                return Some(request.began_at());
            }
            let ahead = match self.waiting.take() {
                Some(file) => pool.read(file),
                None => self.ahead.take()?,
            };
            let Ok(Delivery { batch, file }) = ahead.recv() else {
                // A thread ends only by a defect.
                self.tally.file.cut_off = Some("the thread that read it ended".to_owned());
                return None;
            };
            let Batch { requests, tally, is_last } = batch;
            if !is_last {
                self.ahead = Some(pool.read(file));
            }
            self.tally = tally;
            self.requests = requests.into_iter();
        }
    }
}
