//! The value of one option, read as the type that it is to have.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::config::{Value, ValueKind};

use super::error::ConfigError;
use super::origin::Origin;
use super::words::{is_like_a_secret, show, show_text};

/// The value of one option, with the key and the origin that messages name.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    key: String,
    origin: Origin,
    kind: ValueKind,
}

impl Leaf {
    /// The value of the option at `key`.
    pub(super) fn new(key: String, value: Value) -> Self {
        Self { key, origin: Origin::of(&value), kind: value.kind }
    }

    /// A whole number in `range`. The config crate would round floats and count booleans.
    pub(super) fn number(&self, range: RangeInclusive<u64>) -> Result<u64, ConfigError> {
        let number = match &self.kind {
            ValueKind::I64(number) => u64::try_from(*number).ok(),
            ValueKind::String(text) if self.origin.is_untyped() => text.parse().ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            self.unlike(format_args!("a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A whole number of things in `range`.
    pub(super) fn size(&self, range: RangeInclusive<u32>) -> Result<usize, ConfigError> {
        let size = self.number((*range.start()).into()..=(*range.end()).into())?;
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// A whole number of milliseconds in `range`.
    pub(super) fn millis(&self, range: RangeInclusive<u64>) -> Result<Duration, ConfigError> {
        self.number(range).map(Duration::from_millis)
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Result<bool, ConfigError> {
        match &self.kind {
            ValueKind::Boolean(flag) => Some(*flag),
            ValueKind::String(text) if self.origin.is_untyped() => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.unlike("true or false"))
    }

    /// Text of any kind.
    pub(super) fn text(&self) -> Result<&str, ConfigError> {
        match &self.kind {
            ValueKind::String(text) => Ok(text),
            _ => Err(self.unlike("text in quotes")),
        }
    }

    /// A path. A relative one in a file is relative to the directory of that file.
    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        let path = Path::new(self.text()?);
        Ok(match &self.origin {
            Origin::File { name, .. } => {
                Path::new(name).parent().unwrap_or(Path::new("")).join(path)
            }
            _ => path.to_owned(),
        })
    }

    /// Text that `read` parses. A message shows no URL, which may hold a password.
    pub(super) fn parse<T, E: fmt::Display>(
        &self,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        self.parse_item(self.text()?, expected, read)
    }

    /// Whether it is a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.kind, ValueKind::Array(_))
    }

    /// A list of texts, which messages call `expected`. Outside files, commas separate them.
    pub(super) fn list(&self, expected: &str) -> Result<Vec<String>, ConfigError> {
        match &self.kind {
            ValueKind::Array(values) => values
                .iter()
                .map(|value| match &value.kind {
                    ValueKind::String(text) => Some(text.clone()),
                    _ => None,
                })
                .collect(),
            ValueKind::String(text) if self.origin.is_untyped() => Some(match text.trim() {
                "" => Vec::new(),
                text => text.split(',').map(|item| item.trim().to_owned()).collect(),
            }),
            _ => None,
        }
        .ok_or_else(|| self.unlike(format_args!("a list of {expected}")))
    }

    /// One text that `read` parses. A message shows a bad one unless it may be a secret.
    pub(super) fn parse_item<T, E: fmt::Display>(
        &self,
        text: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        read(text).map_err(|error| {
            if is_like_a_secret(text) {
                self.refuse(format_args!("expected {expected}, got {}", show_text(text)))
            } else {
                self.refuse(error)
            }
        })
    }

    /// An error of this option.
    pub(super) fn refuse(&self, message: impl fmt::Display) -> ConfigError {
        ConfigError::at(&self.key, &self.origin, message)
    }

    fn unlike(&self, expected: impl fmt::Display) -> ConfigError {
        self.refuse(format_args!("expected {expected}, got {}", show(&self.key, &self.kind)))
    }
}
