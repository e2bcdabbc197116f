//! The `LogFormat` of Apache.

use super::piece::{Piece, Pieces};
use crate::app::access_log::draft::Moment;
use crate::app::access_log::number::Unit;
use crate::app::access_log::role::{Role, TimePart};

/// The pieces of `format`, such as `%h %l %u %t "%r" %>s %b`.
pub(super) fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Pieces::default();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        pieces.text(text);
        let missing = || "a % has no letter after it".to_owned();
        // Statuses may restrict it, and < or > says which of several requests within it counts.
        let after = after.trim_start_matches(|it: char| it.is_ascii_digit() || "!,<>".contains(it));
        let (argument, after) = match after.strip_prefix('{') {
            Some(inside) => inside.split_once('}').ok_or("a { is not closed")?,
            None => ("", after),
        };
        let letter = after.chars().next().ok_or_else(missing)?;
        rest = &after[letter.len_utf8()..];
        match letter {
            '%' => pieces.text("%"),
            't' => time(argument, &mut pieces)?,
            // ^ti and ^to are fields of trailers.
            '^' => {
                rest = rest.get(2..).ok_or_else(missing)?;
                pieces.value(Role::Other);
            }
            letter if letter.is_ascii_alphabetic() => pieces.value(role(letter, argument)),
            _ => return Err(missing()),
        }
    }
    pieces.text(rest);
    Ok(pieces.into_vec())
}

fn role(letter: char, argument: &str) -> Role {
    match letter {
        'h' | 'a' => Role::Client,
        'u' => Role::User,
        'r' => Role::RequestLine,
        'm' => Role::Method,
        'U' => Role::Path,
        'q' => Role::Query,
        's' => Role::Status,
        'D' => Role::Duration(Unit::Micros),
        'T' => Role::Duration(Unit::named(argument.as_bytes()).unwrap_or(Unit::Seconds)),
        'i' => Role::Field(argument.to_ascii_lowercase().into()),
        _ => Role::Other,
    }
}

/// The pieces of a time. `argument` says when it is taken, and how it is written.
fn time(argument: &str, pieces: &mut Pieces) -> Result<(), String> {
    let (moment, form) = if let Some(form) = argument.strip_prefix("end") {
        (Moment::End, form.strip_prefix(':').unwrap_or(form))
    } else {
        let form = argument.strip_prefix("begin").unwrap_or(argument);
        (Moment::Start, form.strip_prefix(':').unwrap_or(form))
    };
    match form {
        "" => {
            pieces.text("[");
            pieces.value(Role::Time(moment));
            pieces.text("]");
        }
        "sec" => pieces.value(Role::Part(TimePart::Epoch)),
        "msec" | "usec" => pieces.value(Role::Time(moment)),
        "msec_frac" => pieces.fixed(Role::Part(TimePart::Millis), 3),
        "usec_frac" => pieces.fixed(Role::Part(TimePart::Micros), 6),
        form => return strftime(form, pieces),
    }
    Ok(())
}

/// The pieces of a time as `strftime` writes it.
fn strftime(form: &str, pieces: &mut Pieces) -> Result<(), String> {
    let mut rest = form;
    while let Some((text, after)) = rest.split_once('%') {
        pieces.text(text);
        let letter = after.chars().next().ok_or("a % in its time has no letter after it")?;
        rest = &after[letter.len_utf8()..];
        let mut part = |part: TimePart, width| pieces.fixed(Role::Part(part), width);
        match letter {
            'Y' => part(TimePart::Year, 4),
            'm' => part(TimePart::Month, 2),
            'b' | 'h' => part(TimePart::MonthName, 3),
            'd' | 'e' => part(TimePart::Day, 2),
            'H' => part(TimePart::Hour, 2),
            'M' => part(TimePart::Minute, 2),
            'S' => part(TimePart::Second, 2),
            'z' => part(TimePart::Offset, 5),
            'a' => pieces.fixed(Role::Other, 3),
            's' => pieces.value(Role::Part(TimePart::Epoch)),
            'T' => strftime("%H:%M:%S", pieces)?,
            'F' => strftime("%Y-%m-%d", pieces)?,
            'R' => strftime("%H:%M", pieces)?,
            '%' => pieces.text("%"),
            letter => return Err(format!("its time has %{letter}, which is not read")),
        }
    }
    pieces.text(rest);
    Ok(())
}
