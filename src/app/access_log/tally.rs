//! What is counted of a file: a [`Tally`].

use super::draft::Drafted;
use super::lines::Line;
use super::summary::{FileSummary, LogSummary, UnparsedLine};
use crate::domain::clock::Millis;

/// How many unparsed lines are kept.
const MOST_UNPARSED: usize = 10;

/// How many characters are kept of an unparsed line.
const LONGEST_TEXT: usize = 200;

/// The status of a request that was refused for its rate.
const TOO_MANY_REQUESTS: u16 = 429;

/// The largest step of times that is told from smaller ones, in ms.
const WHOLE_SECONDS: Millis = 1_000;

/// What is counted of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) file: FileSummary,
    pub(super) unparsed: u64,
    pub(super) first_unparsed: Vec<UnparsedLine>,
    pub(super) requests: u64,
    /// The step of its times; 0 before the first.
    time_step: Millis,
    with_duration: u64,
    with_end: u64,
    with_user: u64,
    without_address: u64,
    already_429: u64,
    pub(super) out_of_order: u64,
}

impl Tally {
    /// Counts a request that was read.
    pub(super) fn count(&mut self, request: &Drafted) {
        self.requests += 1;
        self.with_duration += u64::from(request.has_duration);
        self.with_end += u64::from(request.knows_end);
        self.with_user += u64::from(!request.head.user.is_empty());
        self.without_address += u64::from(request.head.peer.is_none());
        self.already_429 += u64::from(request.head.status == Some(TOO_MANY_REQUESTS));
        if self.time_step == 0 {
            self.time_step = WHOLE_SECONDS;
        }
        while !request.logged_at.is_multiple_of(self.time_step) {
            self.time_step /= 10;
        }
    }

    /// Counts a line that could not be read.
    pub(super) fn count_unparsed(&mut self, line: Line<'_>, reason: &str) {
        self.unparsed += 1;
        if self.first_unparsed.len() < MOST_UNPARSED {
            self.first_unparsed.push(UnparsedLine {
                file: self.file.name.clone(),
                line: line.number,
                text: beginning(line.text),
                reason: reason.to_owned(),
            });
        }
    }

    /// Adds what was counted to `summary`.
    pub(super) fn add_to(&self, summary: &mut LogSummary) {
        summary.files.push(self.file.clone());
        summary.lines += self.file.lines;
        summary.unparsed += self.unparsed;
        let free = MOST_UNPARSED.saturating_sub(summary.first_unparsed.len());
        summary.first_unparsed.extend(self.first_unparsed.iter().take(free).cloned());
        summary.requests += self.requests;
        summary.time_step = summary.time_step.max(self.time_step);
        summary.with_duration += self.with_duration;
        summary.with_end += self.with_end;
        summary.with_user += self.with_user;
        summary.without_address += self.without_address;
        summary.already_429 += self.already_429;
        summary.out_of_order += self.out_of_order;
    }
}

/// The first characters of `text`, with control characters escaped.
fn beginning(text: &[u8]) -> String {
    // A character has at most four bytes.
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * LONGEST_TEXT)]).into_owned();
    let mut beginning = String::new();
    for character in text.chars().take(LONGEST_TEXT) {
        if character.is_control() {
            beginning.extend(character.escape_default());
        } else {
            beginning.push(character);
        }
    }
    beginning
}
