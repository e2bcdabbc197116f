//! Where a value came from, and how the config crate's values carry it.

use std::fmt;

use ::config::{Map, Value, ValueKind};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    File(String),
    Variable(String),
    CommandLine,
}

impl Origin {
    /// The origin of `value`, as [`Origin::mark_all`] left it.
    pub(super) fn of(value: &Value) -> Self {
        match value.origin().and_then(|origin| origin.split_once(':')) {
            Some(("file", name)) => Self::File(name.to_owned()),
            Some(("variable", name)) => Self::Variable(name.to_owned()),
            Some(("command line", _)) => Self::CommandLine,
            _ => Self::Default,
        }
    }

    /// The same table, with this origin on every value in it and in its tables; an item of a list is from
    /// where its list is.
    pub(super) fn mark_all(&self, mut table: Map<String, Value>) -> Map<String, Value> {
        mark(&mut table, &self.tag());
        table
    }

    /// Whether its values are text that stands for any type, as a file's are not.
    pub(super) fn is_untyped(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::CommandLine)
    }

    fn tag(&self) -> String {
        match self {
            Self::Default => "default:".to_owned(),
            Self::File(name) => format!("file:{name}"),
            Self::Variable(name) => format!("variable:{name}"),
            Self::CommandLine => "command line:".to_owned(),
        }
    }
}

fn mark(table: &mut Map<String, Value>, tag: &String) {
    for value in table.values_mut() {
        let mut kind = std::mem::take(&mut value.kind);
        if let ValueKind::Table(inner) = &mut kind {
            mark(inner, tag);
        }
        *value = Value::new(Some(tag), kind);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in defaults"),
            Self::File(name) | Self::Variable(name) => f.write_str(name),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}
