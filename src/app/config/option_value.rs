//! The options of a configuration as text, to compare two configurations and to show what differs.

use std::collections::BTreeMap;
use std::fmt;

use ::config::{Map, Value, ValueKind};

use super::origin::Origin;
use super::words::{is_like_a_secret, key_of};

/// The value of an option, and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct OptionValue {
    /// The value as TOML writes it. It may be a secret.
    text: String,
    is_secret: bool,
    origin: Origin,
}

impl OptionValue {
    /// Whether both have the same value, wherever it came from.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// The value as TOML writes it, unless it is a secret.
    pub(crate) fn shown(&self) -> &str {
        if self.is_secret { "(not shown)" } else { &self.text }
    }

    /// Whether nobody set it: the value is built in.
    pub(crate) fn is_default(&self) -> bool {
        self.origin == Origin::Default
    }

    /// The name of its file and the line there, counted from 1, if it came from a file.
    pub(crate) fn line(&self) -> Option<(&str, usize)> {
        match &self.origin {
            Origin::File { name, line: Some(line) } => Some((name, *line)),
            _ => None,
        }
    }

    /// Where it came from: a file, a variable, the command line, or the built-in defaults.
    pub(crate) fn origin(&self) -> &impl fmt::Display {
        &self.origin
    }
}

impl fmt::Debug for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OptionValue").field(&self.shown()).finish()
    }
}

/// Every option in `tables`, by its key.
pub(super) fn option_values(tables: &Map<String, Value>) -> BTreeMap<String, OptionValue> {
    let mut options = BTreeMap::new();
    add(tables, &[], &mut options);
    options
}

fn add(table: &Map<String, Value>, path: &[&str], options: &mut BTreeMap<String, OptionValue>) {
    for (name, value) in table {
        let path = [path, &[name.as_str()]].concat();
        match &value.kind {
            ValueKind::Table(inner) => add(inner, &path, options),
            leaf => {
                let value = OptionValue {
                    text: toml_of(leaf),
                    is_secret: may_hold_a_secret(&path, leaf),
                    origin: Origin::of(value),
                };
                options.insert(key_of(&path), value);
            }
        }
    }
}

/// `value` as TOML writes it.
fn toml_of(value: &ValueKind) -> String {
    match value {
        ValueKind::String(text) => format!("{text:?}"),
        ValueKind::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| toml_of(&item.kind)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Table(_) => "{ … }".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// Whether the value of the option at `path` must not be shown: keys of users and tokens, and URLs.
fn may_hold_a_secret(path: &[&str], value: &ValueKind) -> bool {
    match (path, value) {
        (["auth", "keys", ..] | ["auth", "jwt", "key"], _) => true,
        (_, ValueKind::String(text)) => is_like_a_secret(text),
        (_, ValueKind::Array(items)) => {
            items.iter().any(|item| may_hold_a_secret(path, &item.kind))
        }
        _ => false,
    }
}
