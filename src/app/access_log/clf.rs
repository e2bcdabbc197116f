//! Reads the Common and the Combined Log Format, with what servers put before and after it.

use memchr::{memchr, memchr_iter};

use super::draft::{Draft, Moment};
use super::escape::closing_quote;
use super::times::Times;
use super::words::word;
use super::{address, words};
use crate::domain::clock::Millis;

/// The longest time in brackets.
const LONGEST_TIME: usize = 48;

/// Reads lines such as `203.0.113.7 - ann [01/May/2024:12:00:00 +0000] "GET / HTTP/1.1" 200 12 "referer" "agent"`.
/// Everything after the status may be missing, and a virtual host may be in front.
#[derive(Debug, Default)]
pub(super) struct Clf {
    times: Times,
}

impl Clf {
    pub(super) fn read(&mut self, line: &[u8], draft: &mut Draft) -> Result<(), &'static str> {
        let (before, time, after) = self.split_at_time(line).ok_or("it has no time in brackets")?;
        // Apache writes when the request began, and nginx when it ended. Neither writes how long it took.
        draft.time(time, Moment::Start);
        read_client(before.trim_ascii_end(), draft);
        read_answer(after.trim_ascii_start(), draft);
        Ok(())
    }

    /// The time of a line, with what is before and after it. What users and clients write may have brackets, too.
    fn split_at_time<'a>(&mut self, line: &'a [u8]) -> Option<(&'a [u8], Millis, &'a [u8])> {
        for open in memchr_iter(b'[', line) {
            let text = &line[open + 1..];
            if !text.first().is_some_and(u8::is_ascii_digit) {
                continue;
            }
            let Some(close) = memchr(b']', &text[..text.len().min(LONGEST_TIME)]) else { continue };
            let time = match text {
                [_, _, b'/', ..] => self.times.clf(&text[..close]),
                _ => self.times.any(&text[..close]),
            };
            if let Some(time) = time {
                return Some((&line[..open], time, &text[close + 1..]));
            }
        }
        None
    }
}

/// Whether `line` has the quoted fields of the Combined Log Format.
pub(super) fn is_combined(line: &[u8]) -> bool {
    memchr_iter(b'"', line).count() >= 6
}

/// Reads `host address identity user`. The host may be missing, and the user may have spaces.
fn read_client(text: &[u8], draft: &mut Draft) {
    let (first, rest) = address_field(text);
    let (second, after) = address_field(rest);
    // The identity is never an address: what is before one is the host.
    let has_host = second != b"-" && address::read_last(second).is_some();
    let (client, rest) = if has_host { (second, after) } else { (first, rest) };
    draft.client(client);
    let (_, user) = word(rest);
    draft.user(user.trim_ascii());
}

/// Splits a list of addresses off `text`, in quotes or not, or a single one.
fn address_field(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    if let [b'"', rest @ ..] = text {
        let close = closing_quote(rest).unwrap_or(rest.len());
        return (&rest[..close], rest.get(close + 1..).unwrap_or_default());
    }
    text.split_at(words::end_of_list(text))
}

/// Reads `"request" status bytes "referer" "agent" "forwarded"`, and skips what comes after.
fn read_answer(text: &[u8], draft: &mut Draft) {
    let [b'"', text @ ..] = text else { return draft.target(text) };
    let Some(close) = closing_quote(text) else { return draft.target(text) };
    draft.request_line(&text[..close]);
    let (status, rest) = word(&text[close + 1..]);
    draft.status(status);
    let (_, rest) = word(rest);
    let Some((referer, rest)) = words::quoted(rest) else { return };
    draft.field(b"referer", referer);
    let Some((agent, rest)) = words::quoted(rest) else { return };
    draft.field(b"user-agent", agent);
    // It may as well be any other field, unless it has addresses.
    if let Some((list, _)) = words::quoted(rest)
        && address::read_last(list).is_some()
    {
        draft.field(b"x-forwarded-for", list);
    }
}

#[cfg(test)]
mod tests;
