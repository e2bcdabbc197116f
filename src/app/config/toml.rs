//! Parses TOML, and keeps the line of each value. Messages show no line of the file, which may hold a password.

use std::fmt;

use ::config::{Map, Value, ValueKind};
use ::toml::de::{DeTable, DeValue};

use super::origin::Origin;

/// Why a text is no TOML, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TomlError {
    /// The line and the column, counted from 1; `None` if the parser gives no position.
    position: Option<(usize, usize)>,
    reason: String,
}

impl TomlError {
    /// `origin` with the line of the error.
    pub(super) fn origin(&self, origin: &Origin) -> Origin {
        match self.position {
            Some((line, _)) => origin.at_line(line),
            None => origin.clone(),
        }
    }
}

impl fmt::Display for TomlError {
    /// The column and the reason. The origin has the line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((_, column)) => write!(f, "column {column}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// The table in `text`, which came from `origin`. If that is a file, each value has its line.
///
/// # Errors
/// With what is wrong with the text.
pub(super) fn parse(text: &str, origin: &Origin) -> Result<Map<String, Value>, TomlError> {
    let lines = Lines::of(text);
    match DeTable::parse(text) {
        Ok(table) => Ok(values(table.get_ref(), &lines, origin)),
        Err(error) => Err(TomlError {
            position: error.span().map(|span| lines.position(text, span.start)),
            reason: error.message().to_owned(),
        }),
    }
}

fn values(table: &DeTable<'_>, lines: &Lines, origin: &Origin) -> Map<String, Value> {
    let mut values = Map::new();
    for (name, value) in table {
        let origin_of_value = origin.at_line(lines.line(value.span().start));
        let kind = kind(value.get_ref(), lines, origin);
        values.insert(name.get_ref().to_string(), origin_of_value.value(kind));
    }
    values
}

fn kind(value: &DeValue<'_>, lines: &Lines, origin: &Origin) -> ValueKind {
    match value {
        DeValue::String(text) => ValueKind::String(text.to_string()),
        // A number that does not fit becomes text, which is refused later, where its key is known.
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| ValueKind::String(number.to_string()), ValueKind::I64),
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(float) if !float.is_infinite() || number.as_str().contains("inf") => {
                ValueKind::Float(float)
            }
            _ => ValueKind::String(number.to_string()),
        },
        DeValue::Boolean(flag) => ValueKind::Boolean(*flag),
        DeValue::Datetime(time) => ValueKind::String(time.to_string()),
        DeValue::Array(items) => {
            let item = |item: &::toml::Spanned<DeValue<'_>>| {
                let origin_of_item = origin.at_line(lines.line(item.span().start));
                origin_of_item.value(kind(item.get_ref(), lines, origin))
            };
            ValueKind::Array(items.iter().map(item).collect())
        }
        DeValue::Table(table) => ValueKind::Table(values(table, lines, origin)),
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_breaks).collect())
    }

    /// The line of the byte `at`, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|begin| *begin <= at)
    }

    /// The line of the byte `at`, and its column in characters, both counted from 1.
    fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let begin = self.0.get(line - 1).copied().unwrap_or_default();
        let before = text.get(begin..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests;
