//! Parses TOML. Messages show no line of the file, which may hold a password.

use std::borrow::Cow;

use ::config::{File, FileFormat, Map, Source as _, Value};

/// The table in `text`.
///
/// # Errors
/// With what is wrong with the text.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    read(text).or_else(|error| match error {
        Some(located) => Err(located),
        // The parser does not say which number does not fit into 64 bits. As text it passes here, and
        // is refused later, where its key is known.
        None => read(&quote_huge_numbers(text)).map_err(|error| {
            error.unwrap_or_else(|| "has a number that is too large, or nests too deep".into())
        }),
    })
}

/// # Errors
/// With the position and the reason; `None` if the parser gives no line.
fn read(text: &str) -> Result<Map<String, Value>, Option<String>> {
    File::from_str(text, FileFormat::Toml).collect().map_err(|error| match error {
        ::config::ConfigError::FileParse { cause, .. } => without_excerpt(&cause.to_string()),
        _ => None,
    })
}

/// The position and the reason, without the line itself.
fn without_excerpt(report: &str) -> Option<String> {
    let (position, rest) = report.strip_prefix("TOML parse error at ")?.split_once('\n')?;
    // A rule, the line, and a pointer into it.
    let reason: Vec<&str> = rest.split('\n').skip(3).filter(|line| !line.is_empty()).collect();
    Some(format!("{position}: {}", reason.join(", ")))
}

fn quote_huge_numbers(text: &str) -> String {
    let lines: Vec<Cow<'_, str>> = text.lines().map(quote_huge_number).collect();
    lines.join("\n")
}

fn quote_huge_number(line: &str) -> Cow<'_, str> {
    let Some((key, rest)) = line.split_once('=') else { return line.into() };
    let value = rest.split('#').next().unwrap_or_default().trim();
    if is_huge_number(&value.replace('_', "")) {
        format!("{key}= \"{value}\"").into()
    } else {
        line.into()
    }
}

fn is_huge_number(value: &str) -> bool {
    let radix = match value.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => return value.parse::<i64>().is_err() && value.parse::<f64>().is_ok_and(is_wide),
    };
    let digits = &value[2..];
    !digits.is_empty()
        && digits.chars().all(|digit| digit.is_digit(radix))
        && i64::from_str_radix(digits, radix).is_err()
}

/// Whether `value` is too large for an `i64`, as infinity is.
fn is_wide(value: f64) -> bool {
    value.abs() >= 9_223_372_036_854_775_807.0
}
