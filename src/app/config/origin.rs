//! Where a value came from. The config crate's values carry this as text.

use std::fmt;

use ::config::{Map, Value, ValueKind};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Default,
    /// A file, and the line in it, counted from 1; no line for the file as a whole.
    File {
        name: String,
        line: Option<usize>,
    },
    Variable(String),
    CommandLine,
}

impl Origin {
    /// The file `name` as a whole.
    pub(super) fn file(name: impl Into<String>) -> Self {
        Self::File { name: name.into(), line: None }
    }

    /// This line, if it is a file; otherwise the same origin.
    pub(super) fn at_line(&self, line: usize) -> Self {
        match self {
            Self::File { name, .. } => Self::File { name: name.clone(), line: Some(line) },
            other => other.clone(),
        }
    }

    /// A value with this origin.
    pub(super) fn value(&self, kind: ValueKind) -> Value {
        Value::new(Some(&self.tag()), kind)
    }

    /// The origin of `value`, as [`Origin::value`] or [`Origin::mark_all`] left it.
    pub(super) fn of(value: &Value) -> Self {
        match value.origin().and_then(|origin| origin.split_once(':')) {
            Some(("file", place)) => {
                let (line, name) = place.split_once(':').unwrap_or(("", place));
                Self::File { name: name.to_owned(), line: line.parse().ok() }
            }
            Some(("variable", name)) => Self::Variable(name.to_owned()),
            Some(("command line", _)) => Self::CommandLine,
            _ => Self::Default,
        }
    }

    /// The same value, and all values in it, with this origin.
    fn mark(&self, value: Value) -> Value {
        let kind = match value.kind {
            ValueKind::Table(table) => ValueKind::Table(self.mark_all(table)),
            ValueKind::Array(list) => {
                ValueKind::Array(list.into_iter().map(|value| self.mark(value)).collect())
            }
            leaf => leaf,
        };
        self.value(kind)
    }

    /// The same table, with this origin on every value.
    pub(super) fn mark_all(&self, table: Map<String, Value>) -> Map<String, Value> {
        table.into_iter().map(|(name, value)| (name, self.mark(value))).collect()
    }

    /// Whether its values are text that stands for any type. Values in a file have types.
    pub(super) fn is_untyped(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::CommandLine)
    }

    fn tag(&self) -> String {
        match self {
            Self::Default => "default:".to_owned(),
            Self::File { name, line: Some(line) } => format!("file:{line}:{name}"),
            Self::File { name, line: None } => format!("file::{name}"),
            Self::Variable(name) => format!("variable:{name}"),
            Self::CommandLine => "command line:".to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in defaults"),
            Self::File { name, line: Some(line) } => write!(f, "{name}:{line}"),
            Self::File { name, line: None } | Self::Variable(name) => f.write_str(name),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}
