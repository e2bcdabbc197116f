//! What was read of access logs: a [`LogSummary`].

use serde::Serialize;

use crate::domain::clock::Millis;

/// What was read of access logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LogSummary {
    /// Each file, in the order of the command line.
    pub(crate) files: Vec<FileSummary>,
    /// Lines, without empty ones.
    pub(crate) lines: u64,
    /// Lines that could not be parsed.
    pub(crate) unparsed: u64,
    /// The first of them, at most ten.
    pub(crate) first_unparsed: Vec<UnparsedLine>,
    /// Requests: lines that could be parsed.
    pub(crate) requests: u64,
    /// When the first request began, in ms since the epoch; `None` if there is no request.
    pub(crate) first_at: Option<Millis>,
    /// When the last request began, in ms since the epoch.
    pub(crate) last_at: Option<Millis>,
    /// The step of the coarsest times of any file, in ms: 1000 where they are in whole seconds.
    pub(crate) time_step: Millis,
    /// Requests whose duration was logged and taken off: their times are when they began.
    pub(crate) with_duration: u64,
    /// Requests of which it is known when they ended.
    pub(crate) with_end: u64,
    /// Requests that name a user.
    pub(crate) with_user: u64,
    /// Requests without the address of a client.
    pub(crate) without_address: u64,
    /// Requests that were answered with 429 already.
    pub(crate) already_429: u64,
    /// Requests that came so much later than their time that they could not be sorted in: they are replayed at
    /// the time of the request before them.
    pub(crate) out_of_order: u64,
}

/// A file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FileSummary {
    /// Its name as on the command line; `-` is the standard input.
    pub(crate) name: String,
    /// Its format, such as `combined`, `caddy` or `log_format`.
    pub(crate) format: String,
    /// Its lines, without empty ones.
    pub(crate) lines: u64,
    /// Why it ended early, as a compressed file that was cut off does; `None` if it was read to its end.
    pub(crate) cut_off: Option<String>,
}

/// A line that could not be parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct UnparsedLine {
    /// The file's name.
    pub(crate) file: String,
    /// The number of the line, from 1.
    pub(crate) line: u64,
    /// Its first 200 characters, with control characters escaped.
    pub(crate) text: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}
