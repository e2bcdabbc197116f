//! Reads the access logs of AWS Application Load Balancers.

use std::time::Duration;

use super::draft::{Draft, Moment, origin_form, split_request_line};
use super::number::decimal;
use super::times::Times;
use super::words::{word, word_or_quoted};

/// The types of requests, which lines begin with.
const TYPES: [&[u8]; 6] = [b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"];

/// How many fields are read.
const FIELDS: usize = 22;

// The places of fields in a line.
const TIME: usize = 1;
const CLIENT: usize = 3;
const PROCESSING: [usize; 3] = [5, 6, 7];
const STATUS: usize = 8;
const REQUEST: usize = 12;
const AGENT: usize = 13;
const CREATED: usize = 21;

/// Reads lines such as `https 2024-05-01T12:00:00.123456Z app/lb/id 203.0.113.7:51000 198.51.100.2:80 0.001 0.010
/// 0.000 200 200 34 366 "GET https://example.com:443/path HTTP/1.1" "agent" …`.
#[derive(Debug, Default)]
pub(super) struct Alb {
    times: Times,
    /// When requests were created comes in another minute than when they ended.
    created: Times,
}

impl Alb {
    pub(super) fn read(&mut self, line: &[u8], draft: &mut Draft) -> Result<(), &'static str> {
        let mut fields = [b"".as_slice(); FIELDS];
        let mut rest = line;
        for field in &mut fields {
            (*field, rest) = word_or_quoted(rest);
        }
        let ended_at = self.times.any(fields[TIME]).ok_or("its second word is not a time")?;
        draft.time(ended_at, Moment::End);
        match self.created.any(fields[CREATED]) {
            Some(created_at) => draft.time(created_at, Moment::Start),
            None => {
                // -1 stands for a target that did not answer.
                let parts = PROCESSING.map(|at| decimal(fields[at]));
                if let Some(duration) =
                    parts.into_iter().try_fold(Duration::ZERO, |sum, part| sum.checked_add(part?))
                {
                    draft.duration(duration);
                }
            }
        }
        draft.client(fields[CLIENT]);
        draft.status(fields[STATUS]);
        match split_request_line(fields[REQUEST]) {
            Some((method, url)) => {
                draft.method(method);
                draft.target(origin_form(url));
            }
            None => draft.target(fields[REQUEST]),
        }
        draft.field(b"user-agent", fields[AGENT]);
        Ok(())
    }
}

/// Whether `line` begins as these logs do.
pub(super) fn is_alb(line: &[u8]) -> bool {
    let (kind, rest) = word(line);
    TYPES.contains(&kind) && Times::default().any(word(rest).0).is_some()
}

#[cfg(test)]
mod tests;
