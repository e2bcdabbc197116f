//! What is wrong with a configuration.

use std::fmt;

/// How many errors are listed at most.
const MOST_LISTED: usize = 100;

/// One thing that is wrong: where it is, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfigError {
    /// The option's key as TOML writes it, as in `routes."/api/data".policies`. `None` if a whole file or
    /// argument is wrong.
    pub(super) key: Option<String>,
    /// Where the value came from: a file, a variable, or the command line.
    pub(super) origin: String,
    message: String,
}

impl ConfigError {
    /// An error of the option at `key`, whose value came from `origin`.
    pub(super) fn at(key: &str, origin: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { key: Some(one_line(key)), ..Self::of(origin, message) }
    }

    /// An error of a whole origin, such as a file that cannot be read.
    pub(super) fn of(origin: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { key: None, origin: one_line(origin), message: one_line(message) }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {} (from {})", self.message, self.origin),
            None => write!(f, "{}: {}", self.origin, self.message),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Everything that is wrong with a configuration: at least one error. Each is displayed as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// Returns `value` if there are no errors.
    pub(super) fn none_or<T>(mut errors: Vec<ConfigError>, value: T) -> Result<T, Self> {
        if errors.is_empty() {
            return Ok(value);
        }
        errors.sort();
        Err(Self(errors))
    }

    /// A line for each error. Of very many, only the first ones are listed.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let more = self.0.len().saturating_sub(MOST_LISTED);
        let more = (more > 0).then(|| format!("{more} more problems are not listed"));
        self.iter().take(MOST_LISTED).map(ConfigError::to_string).chain(more)
    }

    /// The errors: those of whole files first, the others by key.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a ConfigError;
    type IntoIter = std::slice::Iter<'a, ConfigError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// Replaces line breaks and terminal escapes, which file names, keys and parsers may contain.
fn one_line(text: impl fmt::Display) -> String {
    text.to_string().trim().replace(char::is_control, " ")
}
