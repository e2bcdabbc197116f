//! Reads lines by a pattern.

use memchr::memchr;

use super::piece::Piece;
use super::time_parts::TimeParts;
use crate::app::access_log::draft::{Draft, Moment};
use crate::app::access_log::escape::closing_quote;
use crate::app::access_log::number::length;
use crate::app::access_log::role::Role;
use crate::app::access_log::times::Times;
use crate::app::access_log::words::end_of_list;

/// Reads lines by a pattern.
#[derive(Debug)]
pub(in crate::app::access_log) struct Matcher {
    pieces: Vec<Piece>,
    times: Times,
    target: Vec<u8>,
}

/// What of a line is put together once all of it is read.
#[derive(Default)]
struct Found<'a> {
    at: Option<(u64, Moment)>,
    parts: TimeParts,
    has_parts: bool,
    has_client: bool,
    path: &'a [u8],
    query: &'a [u8],
}

impl Matcher {
    pub(super) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces, times: Times::default(), target: Vec::new() }
    }

    pub(in crate::app::access_log) fn read(
        &mut self,
        line: &[u8],
        draft: &mut Draft,
    ) -> Result<(), &'static str> {
        let mut found = Found::default();
        let mut rest = line;
        let mut matches = true;
        for at in 0..self.pieces.len() {
            let Some((value, after)) = split_piece(&self.pieces, at, rest) else {
                matches = false;
                break;
            };
            if let Piece::Value { role, .. } = &self.pieces[at] {
                take(role, value, &mut self.times, &mut found, draft);
            }
            rest = after;
        }
        let at = found.time().ok_or("its time is not where the format has it")?;
        draft.time(at.0, at.1);
        if !matches && !found.has_client {
            return Err("it does not match the format");
        }
        if !draft.has_target() {
            self.put_together(&found, draft);
        }
        if !matches && !draft.has_target() {
            draft.target(rest);
        }
        Ok(())
    }

    /// Makes a target of a path and a query.
    fn put_together(&mut self, found: &Found<'_>, draft: &mut Draft) {
        self.target.clear();
        self.target.extend_from_slice(found.path);
        if !matches!(found.query, b"" | b"-" | b"?") {
            if !found.query.starts_with(b"?") {
                self.target.push(b'?');
            }
            self.target.extend_from_slice(found.query);
        }
        draft.target(&self.target);
    }
}

impl Found<'_> {
    fn time(&self) -> Option<(u64, Moment)> {
        let (at, moment) = match self.at {
            Some(found) => found,
            None if self.has_parts => (self.parts.whole_seconds()?, Moment::Start),
            None => return None,
        };
        // A time may be there in whole seconds with its milliseconds apart, and once more with them.
        let millis = if at.is_multiple_of(1_000) { self.parts.millis() } else { 0 };
        Some((at.checked_add(millis)?, moment))
    }
}

fn take<'a>(
    role: &Role,
    value: &'a [u8],
    times: &mut Times,
    found: &mut Found<'a>,
    draft: &mut Draft,
) {
    match role {
        Role::Other => {}
        Role::Time(moment) => {
            if let Some(at) = times.any(value) {
                found.at = Some((at, *moment));
            }
        }
        Role::Part(part) => found.has_parts |= found.parts.take(*part, value).is_some(),
        Role::Client => {
            draft.client(value);
            found.has_client = true;
        }
        Role::User => draft.user(value),
        Role::RequestLine => draft.request_line(value),
        Role::Method => draft.method(value),
        Role::Target => draft.target(value),
        Role::Path => found.path = value,
        Role::Query => found.query = value,
        Role::Status => draft.status(value),
        Role::Duration(unit) => {
            if let Some(length) = length(value, *unit) {
                draft.duration(length);
            }
        }
        Role::Field(name) => draft.field(name.as_bytes(), value),
    }
}

/// What of `rest` is the piece at `at`, and what comes after it; `None` if the piece is not there.
fn split_piece<'a>(pieces: &[Piece], at: usize, rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let width = match &pieces[at] {
        Piece::Text(text) => return Some((&rest[..0], rest.strip_prefix(text.as_slice())?)),
        Piece::Value { width, .. } => *width,
    };
    if let Some(width) = width {
        return rest.split_at_checked(width);
    }
    let before = at.checked_sub(1).and_then(|at| pieces.get(at));
    let end = match (before, pieces.get(at + 1)) {
        (Some(Piece::Text(before)), Some(Piece::Text(after)))
            if before.ends_with(b"\"") && after.starts_with(b"\"") =>
        {
            closing_quote(rest)?
        }
        (_, Some(Piece::Text(after))) => find(rest, after)?,
        // Lines may have more fields than the format.
        (Some(Piece::Text(before)), _) if before.ends_with(b" ") => end_of_list(rest),
        _ => rest.len(),
    };
    rest.split_at_checked(end)
}

/// Where `text` begins in `rest`. A space behind a comma is within a list.
fn find(rest: &[u8], text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let mut at = 0;
    loop {
        let found = at + memchr(first, rest.get(at..)?)?;
        let is_in_list = first == b' ' && found > 0 && rest[found - 1] == b',';
        if rest[found..].starts_with(text) && !is_in_list {
            return Some(found);
        }
        at = found + 1;
    }
}
