//! Numbers in logs: decimal fractions, lengths of time and times since the epoch.

use std::time::Duration;

use crate::domain::clock::Millis;

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// How many of them are a second.
    pub(super) fn per_second(self) -> u32 {
        match self {
            Self::Seconds => 1,
            Self::Millis => 1_000,
            Self::Micros => 1_000_000,
            Self::Nanos => 1_000_000_000,
        }
    }

    /// The unit that `text` names, as `ms` does.
    pub(super) fn named(text: &[u8]) -> Option<Self> {
        match text {
            b"s" => Some(Self::Seconds),
            b"ms" => Some(Self::Millis),
            b"us" | b"\xc2\xb5s" => Some(Self::Micros),
            b"ns" => Some(Self::Nanos),
            _ => None,
        }
    }
}

/// A decimal number that is not negative, as seconds.
pub(super) fn decimal(text: &[u8]) -> Option<Duration> {
    let digits = digits(text);
    let (whole, rest) = text.split_at(digits);
    let nanos = match rest {
        [] => 0,
        [b'.', fraction @ ..] => fraction_in_nanos(fraction)?,
        _ => return None,
    };
    Some(Duration::new(integer(whole)?, nanos))
}

/// A length of time in `unit`, unless it names its own, as `1.5ms` does.
pub(super) fn length(text: &[u8], unit: Unit) -> Option<Duration> {
    let number = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (number, name) = text.split_at(number);
    let unit = if name.is_empty() { unit } else { Unit::named(name)? };
    Some(decimal(number)? / unit.per_second())
}

/// A number that is not negative, of digits alone.
pub(super) fn integer(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The time that is `since` the epoch in seconds, or in a smaller unit if the number is too large for seconds.
pub(super) fn epoch(since: Duration) -> Option<Millis> {
    /// The year 5138 in seconds, and 1973 in milliseconds.
    const MOST: u64 = 100_000_000_000;
    let number = since.as_secs();
    match number {
        0..MOST => Some(number * 1_000 + u64::from(since.subsec_millis())),
        MOST..100_000_000_000_000 => Some(number),
        100_000_000_000_000..100_000_000_000_000_000 => Some(number / 1_000),
        _ => Some(number / 1_000_000),
    }
}

/// A number of seconds as a floating-point number, rounded to microseconds: it is not exact below.
pub(super) fn float(number: f64) -> Option<Duration> {
    const HALF: Duration = Duration::from_nanos(500);
    let length = Duration::try_from_secs_f64(number).ok()?.checked_add(HALF)?;
    Some(Duration::new(length.as_secs(), length.subsec_micros() * 1_000))
}

/// The digits after a point in billionths. Those beyond the ninth are cut off.
pub(super) fn fraction_in_nanos(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| digits.get(at).map_or(0, |byte| u32::from(byte - b'0'));
    Some((0..9).fold(0, |nanos, at| nanos * 10 + digit(at)))
}

/// How many digits `text` begins with.
pub(super) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[cfg(test)]
mod tests;
