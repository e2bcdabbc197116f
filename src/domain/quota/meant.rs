//! What was probably meant by a text that is not a quota, so that the error can say what to write.

use crate::domain::clock::Millis;
use crate::domain::window::Window;

const SECOND: Millis = 1_000;

/// More decimals than any quota can keep as whole units.
const MOST_DECIMALS: usize = 12;

/// Why a quota is not written as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake {
    /// Part of a unit per window, as in `0.5/second`.
    PartOfAUnit,
    /// Marks between digits, as in `10_000/day`.
    Marks,
    /// A word after the units, as in `10r/s`.
    Word,
    /// A window in milliseconds, as in `10/100ms`.
    Milliseconds,
}

impl Mistake {
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::PartOfAUnit => "its units must be a whole number",
            Self::Marks => "its units must be digits alone",
            Self::Word => "its units must be a number alone",
            Self::Milliseconds => "its window must be in whole seconds",
        }
    }
}

/// The mistake in `units` per `window`, both in lower case, with the units and the window that were probably meant;
/// `None` if they are not clear. The window may be `known`.
pub(super) fn meant(
    units: &str,
    window: &str,
    known: Option<Window>,
) -> Option<(Mistake, u64, Window)> {
    if let Some(units) = number(units) {
        let window = millis(window)?;
        let times = SECOND / divisor(SECOND, window);
        return Some((
            Mistake::Milliseconds,
            units.checked_mul(times)?,
            Window::Fixed(window.checked_mul(times)?),
        ));
    }
    let window = known?;
    if let Some(units) = without_marks(units) {
        return Some((Mistake::Marks, units, window));
    }
    if let Some((units, parts)) = decimal(units) {
        let common = divisor(units, parts);
        let window = match window {
            Window::Fixed(length) => Window::Fixed(length.checked_mul(parts / common)?),
            // There are no windows of several months.
            Window::Calendar(_) if parts != common => return None,
            window => window,
        };
        return Some((Mistake::PartOfAUnit, units / common, window));
    }
    Some((Mistake::Word, without_word(units)?, window))
}

fn number(text: &str) -> Option<u64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// A window in milliseconds, as in `100ms`.
fn millis(window: &str) -> Option<Millis> {
    let digits = window.bytes().take_while(u8::is_ascii_digit).count();
    let (length, unit) = window.split_at(digits);
    let is_millis = matches!(unit.trim_start(), "ms" | "millisecond" | "milliseconds");
    let length = if length.is_empty() { Some(1) } else { number(length) };
    length.filter(|length| is_millis && *length > 0)
}

/// A number with decimals as units and how many parts a unit has: `0.5` is 5 of 10.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, decimals) = text.split_once('.')?;
    if decimals.is_empty() || decimals.len() > MOST_DECIMALS {
        return None;
    }
    let units = number(&format!("{whole}{decimals}")).filter(|units| *units > 0)?;
    Some((units, decimals.bytes().fold(1, |parts, _| parts * 10)))
}

/// A number whose digits are in groups, as in `10_000` or `10,000`. Where a comma may be a decimal one, nothing is clear.
fn without_marks(text: &str) -> Option<u64> {
    let mark = text.bytes().find(|byte| matches!(byte, b'_' | b',' | b'\'' | b' '))?;
    let mut groups = text.split(char::from(mark));
    let first = groups.next().filter(|first| !first.is_empty())?;
    let rest: Vec<&str> = groups.collect();
    let in_threes = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    let digits = rest.iter().fold(first.to_owned(), |digits, group| digits + group);
    number(&digits).filter(|_| mark == b'_' || in_threes)
}

/// A number with a word after it, as in `10r` or `10 requests`.
fn without_word(text: &str) -> Option<u64> {
    let text = text.trim_end_matches(|it: char| it.is_ascii_lowercase()).trim_end();
    number(text)
}

/// The greatest common divisor.
fn divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one.max(1) } else { divisor(other, one % other) }
}
