//! Reads access logs: an [`AccessLog`] hands out the requests of all files in order of time.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::error::AccessLogError;
use super::field_path::FieldPath;
use super::format::Format;
use super::log_file::LogFile;
use super::merge::Merge;
use super::pool::Pool;
use super::request::LoggedRequest;
use super::source::Source;
use super::summary::LogSummary;
use crate::domain::clock::Millis;

/// How many requests are handed out at once, at most.
const MOST_REQUESTS: usize = 4_096;

/// Which logs are read, and how.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadOptions {
    /// The files; `-` is the standard input, which is read as well if there are none.
    pub(crate) files: Vec<PathBuf>,
    /// The format of all files; `None` to recognise that of each.
    pub(crate) format: Option<Format>,
    /// Where values are in lines of JSON.
    pub(crate) fields: Vec<FieldPath>,
    /// Once this is set, the standard input ends.
    pub(crate) stop: Arc<AtomicBool>,
}

/// The requests of access logs in order of time. Threads read ahead, and end when it is dropped.
#[derive(Debug)]
pub(crate) struct AccessLog {
    merge: Merge,
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    /// When the first and the last request began that were handed out.
    span: Option<(Millis, Millis)>,
}

/// How far the reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The bytes that are read of files, compressed as they are.
    pub(crate) bytes_read: u64,
    /// The bytes of all files; `None` if not all of them have a size that is known.
    pub(crate) bytes_total: Option<u64>,
    /// The lines that are read.
    pub(crate) lines: u64,
}

impl AccessLog {
    /// Opens the files, and recognises their formats.
    ///
    /// # Errors
    /// If a file cannot be read, or if it has a format that is not recognised.
    pub(crate) fn open(options: &ReadOptions) -> Result<Self, AccessLogError> {
        let bytes_read: Arc<AtomicU64> = Arc::default();
        let standard_input = [Source::standard_input(&options.stop)];
        let sources: Vec<Source> = match options.files.as_slice() {
            [] => standard_input.to_vec(),
            files => files.iter().map(|path| Source::new(path, &options.stop)).collect(),
        };
        let bytes_total = sources.iter().map(Source::size).sum();
        let format = options.format.as_ref();
        let files = sources
            .into_iter()
            .map(|source| LogFile::new(source, format, &options.fields, Arc::clone(&bytes_read)));
        let files = files.collect::<Result<Vec<LogFile>, AccessLogError>>()?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let pool = Pool::new(files.len().min(cores)).map_err(|error| {
            AccessLogError::new("the log", format!("cannot be read by a thread: {error}"))
        })?;
        Ok(Self { merge: Merge::new(files, pool), bytes_read, bytes_total, span: None })
    }

    /// Appends some thousands of requests to `requests`, in order of time over all files; returns `false` at the
    /// end, when nothing is appended.
    pub(crate) fn next_batch(&mut self, requests: &mut Vec<LoggedRequest>) -> bool {
        let before = requests.len();
        self.merge.read(requests, MOST_REQUESTS);
        let appended = &requests[before..];
        if let (Some(first), Some(last)) = (appended.first(), appended.last()) {
            let first_at = self.span.map_or(first.began_at(), |(first_at, _)| first_at);
            self.span = Some((first_at, last.began_at()));
        }
        !appended.is_empty()
    }

    /// How far the reading is.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_total: self.bytes_total,
            lines: self.merge.tallies().map(|tally| tally.file.lines).sum(),
        }
    }

    /// What was read so far; all of it once [`Self::next_batch`] returned `false`.
    pub(crate) fn summary(&self) -> LogSummary {
        let mut summary = LogSummary {
            first_at: self.span.map(|(first_at, _)| first_at),
            last_at: self.span.map(|(_, last_at)| last_at),
            out_of_order: self.merge.late(),
            ..LogSummary::default()
        };
        for tally in self.merge.tallies() {
            tally.add_to(&mut summary);
        }
        summary
    }
}

#[cfg(test)]
mod tests;
