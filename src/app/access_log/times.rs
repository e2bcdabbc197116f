//! The times of lines. The same minute repeats, so that it is computed once.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{PrimitiveDateTime, UtcOffset};

use super::number::{decimal, digits, epoch, fraction_in_nanos};
use crate::domain::clock::Millis;

/// `01/May/2024:12:00`
const CLF: &[BorrowedFormatItem<'static>] =
    format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]");

/// `2024-05-01T12:00`
const ISO: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]");

/// Reads the times of one file.
#[derive(Debug, Default)]
pub(super) struct Times {
    clf: Minute,
    iso: Minute,
}

impl Times {
    /// A time as the Common Log Format has it: `01/May/2024:12:00:00 +0200`.
    pub(super) fn clf(&mut self, text: &[u8]) -> Option<Millis> {
        self.clf.read(text, 17, |minute| read_minute(minute, CLF))
    }

    /// A time in any form: since the epoch, by ISO 8601, or as the Common Log Format has it, in brackets or not.
    pub(super) fn any(&mut self, text: &[u8]) -> Option<Millis> {
        let text = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(text);
        match text {
            [_, _, b'/', ..] => self.clf(text),
            [_, _, _, _, b'-' | b'/', ..] => self.iso.read(text, 16, read_iso_minute),
            _ => epoch(decimal(text)?),
        }
    }
}

/// A minute that was read, and what was written for it.
#[derive(Debug, Default)]
struct Minute {
    text: Vec<u8>,
    offset: Vec<u8>,
    at: Millis,
}

impl Minute {
    /// Reads `text`: the minute in its first `length` bytes, then `:`, seconds, perhaps a fraction, and the offset
    /// from UTC.
    fn read(
        &mut self,
        text: &[u8],
        length: usize,
        read: impl Fn(&[u8]) -> Option<PrimitiveDateTime>,
    ) -> Option<Millis> {
        let (minute, rest) = text.split_at_checked(length)?;
        let [b':', tens @ b'0'..=b'6', ones @ b'0'..=b'9', rest @ ..] = rest else { return None };
        let second = Millis::from(tens - b'0') * 10 + Millis::from(ones - b'0');
        let (fraction, offset) = split_fraction(rest)?;
        // Most lines are of the minute of the line before.
        if self.text != minute || self.offset != offset {
            let at = read(minute)?.assume_offset(read_offset(offset)?).unix_timestamp();
            self.at = Millis::try_from(at).ok()? * 1_000;
            self.text.clear();
            self.text.extend_from_slice(minute);
            self.offset.clear();
            self.offset.extend_from_slice(offset);
        }
        // A leap second is the first of the next minute.
        (second <= 60).then(|| self.at + second * 1_000 + fraction)
    }
}

/// The milliseconds that `text` begins with after a point or comma, and the rest.
fn split_fraction(text: &[u8]) -> Option<(Millis, &[u8])> {
    let [b'.' | b',', rest @ ..] = text else { return Some((0, text)) };
    let (fraction, rest) = rest.split_at(digits(rest));
    Some((Millis::from(fraction_in_nanos(fraction)? / 1_000_000), rest))
}

fn read_iso_minute(text: &[u8]) -> Option<PrimitiveDateTime> {
    let mut text: [u8; 16] = text.try_into().ok()?;
    if !matches!(text[10], b'T' | b't' | b' ') || text[4] != text[7] {
        return None;
    }
    // Go writes dates with slashes.
    (text[4], text[7], text[10]) = (b'-', b'-', b'T');
    read_minute(&text, ISO)
}

fn read_minute(text: &[u8], format: &[BorrowedFormatItem<'_>]) -> Option<PrimitiveDateTime> {
    PrimitiveDateTime::parse(std::str::from_utf8(text).ok()?, format).ok()
}

/// An offset from UTC: `Z`, `+02:00`, `+0200` or `+02`; a time without one is in UTC.
pub(super) fn read_offset(text: &[u8]) -> Option<UtcOffset> {
    let (sign, hours, minutes): (i8, _, &[u8]) = match text.trim_ascii() {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(UtcOffset::UTC),
        [b'+', a, b, rest @ ..] => (1, [*a, *b], rest),
        [b'-', a, b, rest @ ..] => (-1, [*a, *b], rest),
        _ => return None,
    };
    let minutes = match minutes {
        [] => [b'0', b'0'],
        [b':', a, b] | [a, b] => [*a, *b],
        _ => return None,
    };
    let number = |text: [u8; 2]| {
        let is_number = text.iter().all(u8::is_ascii_digit);
        is_number.then(|| i8::try_from((text[0] - b'0') * 10 + (text[1] - b'0')).ok()).flatten()
    };
    UtcOffset::from_hms(sign * number(hours)?, sign * number(minutes)?, 0).ok()
}

#[cfg(test)]
mod tests;
