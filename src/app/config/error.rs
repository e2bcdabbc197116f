//! What is wrong with a configuration: every [`Problem`], with its key and its origin.

use std::fmt;

/// The most problems that are said.
const MOST_SAID: usize = 100;

/// One thing that is wrong: where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    key: Option<String>,
    origin: String,
    message: String,
}

impl Problem {
    /// A problem of the option at `key`, whose value came from `origin`.
    pub(super) fn at(key: &str, origin: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { key: Some(one_line(key)), ..Self::of(origin, message) }
    }

    /// A problem of a whole origin, such as a file that cannot be read.
    pub(super) fn of(origin: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { key: None, origin: one_line(origin), message: one_line(message) }
    }

    /// The option's key as TOML writes it, as in `routes."/api/data".policies`; none where the
    /// problem is that of a whole file or argument.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Where it came from: the file's name, the variable's name, or the command line.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{key}: {} (from {})", self.message, self.origin),
            None => write!(f, "{}: {}", self.origin, self.message),
        }
    }
}

impl std::error::Error for Problem {}

/// Everything that is wrong with a configuration, at least one problem; displayed as one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `value`, if there are no problems.
    pub(super) fn none_or<T>(mut problems: Vec<Problem>, value: T) -> Result<T, Self> {
        if problems.is_empty() {
            return Ok(value);
        }
        problems.sort();
        Err(Self(problems))
    }

    /// What is said of them, a line each: of very many, the first ones and how many more there are.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let more = self.0.len().saturating_sub(MOST_SAID);
        let more = (more > 0).then(|| format!("{more} more problems are not listed"));
        self.iter().take(MOST_SAID).map(Problem::to_string).chain(more)
    }

    /// Each problem, those of whole files first, then by key.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.lines().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// File names, keys and parsers may bring line breaks and terminal escapes.
fn one_line(text: impl fmt::Display) -> String {
    text.to_string().trim().replace(char::is_control, " ")
}
