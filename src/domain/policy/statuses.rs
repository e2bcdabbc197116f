//! Which statuses of responses make a request count: [`Statuses`].

use std::fmt;

/// The statuses that a response can have.
const CODES: std::ops::RangeInclusive<u16> = 100..=599;

/// Statuses of responses: single ones such as `401`, and classes such as `4xx`.
///
/// ```
/// use tollgate::Statuses;
///
/// let failures = Statuses::new(["401", "403", "5xx"])?;
/// assert!(failures.has(401) && failures.has(503) && !failures.has(404));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Box<[Listed]>);

/// By which statuses of its response a request counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ByOutcome {
    pub(super) charge_on: Option<Statuses>,
    pub(super) refund_on: Option<Statuses>,
}

/// One entry of a list of statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listed {
    Code(u16),
    /// All statuses that begin with this digit.
    Class(u16),
}

impl Statuses {
    /// The statuses that `list` has, each a code from 100 to 599 or a class from `1xx` to `5xx`.
    ///
    /// # Errors
    /// When the list is empty, names the same twice, or has something else.
    pub fn new<T: AsRef<str>>(list: impl IntoIterator<Item = T>) -> Result<Self, StatusesError> {
        let mut listed = Vec::new();
        for text in list {
            let text = text.as_ref();
            let entry = Listed::of(text).ok_or_else(|| StatusesError::Unknown(text.to_owned()))?;
            if listed.contains(&entry) {
                return Err(StatusesError::Twice(text.to_owned()));
            }
            listed.push(entry);
        }
        if listed.is_empty() { Err(StatusesError::Empty) } else { Ok(Self(listed.into())) }
    }

    /// Whether `status` is one of them.
    #[must_use]
    pub fn has(&self, status: u16) -> bool {
        self.0.iter().any(|listed| match listed {
            Listed::Code(code) => *code == status,
            Listed::Class(digit) => *digit == status / 100,
        })
    }
}

impl Listed {
    fn of(text: &str) -> Option<Self> {
        if let Some(digit) = text.strip_suffix("xx") {
            let digit = digit.parse().ok().filter(|_| digit.len() == 1)?;
            return (1..=5).contains(&digit).then_some(Self::Class(digit));
        }
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|code| is_code && CODES.contains(code)).map(Self::Code)
    }
}

/// As they were listed: `401, 403, 5xx`.
impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, listed) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { ", " } else { "" })?;
            match listed {
                Listed::Code(code) => write!(f, "{code}")?,
                Listed::Class(digit) => write!(f, "{digit}xx")?,
            }
        }
        Ok(())
    }
}

/// Why a list is none of [`Statuses`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusesError {
    /// It has nothing.
    Empty,
    /// It has this, which is no status.
    Unknown(String),
    /// It has this twice.
    Twice(String),
}

impl fmt::Display for StatusesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("expected at least one status, as in [\"401\", \"5xx\"]"),
            Self::Unknown(text) => write!(
                f,
                "{text:?} is no status: expected a code from 100 to 599, or a class from 1xx to 5xx"
            ),
            Self::Twice(text) => write!(f, "{text:?} is listed twice: expected it once"),
        }
    }
}

impl std::error::Error for StatusesError {}

#[cfg(test)]
mod tests;
