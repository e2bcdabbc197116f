//! One file of a log, which is read batch by batch: a [`LogFile`].

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::draft::Draft;
use super::error::AccessLogError;
use super::field_path::FieldPath;
use super::format::{Format, Parser};
use super::lines::{LONGEST, Lines};
use super::recognition::recognise;
use super::request::LoggedRequest;
use super::source::Source;
use super::tally::Tally;
use super::window::{self, Window};
use crate::domain::clock::Millis;

/// How many lines are read between two looks at whether requests can be handed out.
const MOST_LINES: usize = 2_048;

/// How many bytes of texts are gathered, at most, between them.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// How many lines are looked at to recognise the format, and to know when the file begins.
const LINES_AHEAD: usize = 200;

/// One file of a log.
#[derive(Debug)]
pub(super) struct LogFile {
    source: Source,
    count: Arc<AtomicU64>,
    /// `None` while the file is not open.
    lines: Option<Lines>,
    parser: Parser,
    draft: Draft,
    window: Window,
    tally: Tally,
    begins_at: Millis,
}

/// Requests in order of time.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) requests: Vec<LoggedRequest>,
    /// What is counted of the file so far.
    pub(super) tally: Tally,
    pub(super) is_last: bool,
}

impl LogFile {
    /// Looks at the first lines of `source`. `count` grows by the bytes that are read of it.
    pub(super) fn new(
        source: Source,
        format: Option<&Format>,
        fields: &[FieldPath],
        count: Arc<AtomicU64>,
    ) -> Result<Self, AccessLogError> {
        let name = source.name();
        let is_read_again = source.size().is_some();
        let counted = if is_read_again { Arc::default() } else { Arc::clone(&count) };
        let opened = source.open(counted);
        let opened = opened.map_err(|error| failed(&name, "cannot be opened", &error))?;
        let mut lines = Lines::new(opened);
        let failed = |error| failed(&name, "cannot be read", &error);
        let first: Vec<&[u8]> = lines.peek().map_err(failed)?.take(LINES_AHEAD).collect();
        let written: Vec<&[u8]> = first.into_iter().filter(|line| !line.is_empty()).collect();
        let format = match format {
            Some(format) => Some(format.clone()),
            None if written.is_empty() => None,
            None => Some(
                recognise(written.iter().copied(), fields)
                    .map_err(|problem| AccessLogError::new(&name, problem))?,
            ),
        };
        let mut tally = Tally::default();
        tally.file.name.clone_from(&name);
        // An empty file has lines of no format.
        tally.file.format = format.as_ref().map_or("empty", Format::name).to_owned();
        let mut parser = format.unwrap_or(Format::Common).parser(fields);
        let begins_at = earliest(&written, &mut parser);
        // Files whose time has not come stay closed: there may be hundreds.
        let lines = if is_read_again { None } else { Some(lines) };
        let (draft, window) = (Draft::default(), Window::default());
        Ok(Self { source, count, lines, parser, draft, window, tally, begins_at })
    }

    /// A time before that of its first request, in ms since the epoch.
    pub(super) fn begins_at(&self) -> Millis {
        self.begins_at
    }

    /// What is counted so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The next requests; of the last batch, all that are left.
    pub(super) fn next_batch(&mut self) -> Batch {
        let mut requests = Vec::new();
        let mut is_last = false;
        while !is_last && requests.is_empty() {
            is_last = self.read_lines().unwrap_or_else(|error| {
                self.tally.file.cut_off = Some(error.to_string());
                true
            });
            self.sort_in();
            if is_last {
                requests = self.window.finish();
                self.lines = None;
            } else if self.window.is_due() {
                requests = self.window.release();
            }
        }
        Batch { requests, tally: self.tally.clone(), is_last }
    }

    /// Reads some lines into the draft; returns whether they are the last.
    fn read_lines(&mut self) -> io::Result<bool> {
        let lines = match &mut self.lines {
            Some(lines) => lines,
            closed => closed.insert(Lines::new(self.source.open(Arc::clone(&self.count))?)),
        };
        for _ in 0..MOST_LINES {
            let Some(line) = lines.next()? else { return Ok(true) };
            if line.text.is_empty() {
                continue;
            }
            self.tally.file.lines += 1;
            if line.is_too_long {
                self.tally.count_unparsed(line, &format!("it is longer than {LONGEST} bytes"));
                continue;
            }
            self.draft.begin();
            match self.parser.read(line.text, &mut self.draft) {
                Err(reason) => self.tally.count_unparsed(line, reason),
                Ok(()) => match self.draft.finish() {
                    Some(request) => self.tally.count(request),
                    None => self.tally.count_unparsed(line, "it has no time"),
                },
            }
            if self.draft.size() > MOST_BYTES {
                break;
            }
        }
        Ok(false)
    }

    /// Hands the requests of the draft to the window.
    fn sort_in(&mut self) {
        for (request, logged_at) in self.draft.take() {
            self.tally.out_of_order += u64::from(self.window.push(request, logged_at));
        }
    }
}

/// A time before that of any of `lines`, by as much as others may be earlier.
fn earliest(lines: &[&[u8]], parser: &mut Parser) -> Millis {
    let mut draft = Draft::default();
    for line in lines {
        draft.begin();
        if parser.read(line, &mut draft).is_ok() {
            draft.finish();
        }
    }
    let first = draft.take().map(|(request, _)| request.began_at()).min();
    first.unwrap_or(0).saturating_sub(window::LENGTH)
}

fn failed(name: &str, what: &str, error: &io::Error) -> AccessLogError {
    AccessLogError::new(name, format!("{what}: {error}"))
}
