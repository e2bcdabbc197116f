//! The descriptors that a rule is for, as a configuration writes them: a [`DescriptorPattern`].

use std::fmt;
use std::iter::Peekable;
use std::str::{Chars, FromStr};

use super::wildcard::Wildcard;

/// The characters that have a meaning, and stand for themselves after a backslash.
const SPECIAL: [char; 5] = [',', '=', '*', '\\', ' '];

/// The entries of a descriptor in their order, as in `generic_key=login, remote_address`.
///
/// A key alone is for every value. A star in a value stands for any text. A backslash takes its meaning from the comma,
/// the equals sign, the star, the backslash and the space after it. Spaces around keys and values do not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DescriptorPattern(Vec<EntryPattern>);

/// One entry of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EntryPattern {
    pub(crate) key: String,
    /// `None` for every value.
    pub(crate) value: Option<Wildcard>,
}

/// Why a text is no [`DescriptorPattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DescriptorPatternError {
    /// An entry has no key.
    NoKey,
    /// A star stands in this key.
    StarInKey(String),
    /// A second equals sign stands in the value of this key.
    SecondEqualsSign(String),
    /// A backslash stands before a character that has no meaning, or before none.
    Backslash(Option<char>),
}

impl DescriptorPattern {
    /// The pattern with these entries, of which there is at least one.
    pub(crate) fn of(entries: impl IntoIterator<Item = EntryPattern>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// The entries, in their order.
    pub(crate) fn entries(&self) -> &[EntryPattern] {
        &self.0
    }

    /// The index of the first entry with this key.
    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|entry| entry.key == key)
    }
}

impl EntryPattern {
    /// The entry of `key` whose value is one of `parts`, with a star between each two; `None` for every value.
    pub(crate) fn new<'a>(key: &str, parts: Option<impl IntoIterator<Item = &'a str>>) -> Self {
        let parts = parts.map(|parts| parts.into_iter().map(str::to_owned).collect());
        Self { key: key.to_owned(), value: parts.map(Wildcard::of) }
    }
}

impl FromStr for DescriptorPattern {
    type Err = DescriptorPatternError;

    fn from_str(text: &str) -> Result<Self, DescriptorPatternError> {
        let mut rest = text.chars().peekable();
        let mut entries = Vec::new();
        loop {
            let (key, mut end) = parts(&mut rest)?;
            let [key] = &key[..] else {
                return Err(DescriptorPatternError::StarInKey(key.join("*")));
            };
            if key.is_empty() {
                return Err(DescriptorPatternError::NoKey);
            }
            let mut value = None;
            if end == Some('=') {
                let (parts, end_of_value) = parts(&mut rest)?;
                (value, end) = (Some(Wildcard::of(parts)), end_of_value);
            }
            entries.push(EntryPattern { key: key.clone(), value });
            match end {
                None => return Ok(Self(entries)),
                Some('=') => return Err(DescriptorPatternError::SecondEqualsSign(key.clone())),
                Some(_) => {}
            }
        }
    }
}

/// The texts between stars up to the next comma or equals sign, and which of these it was.
fn parts(
    rest: &mut Peekable<Chars<'_>>,
) -> Result<(Vec<String>, Option<char>), DescriptorPatternError> {
    let (mut parts, mut part, mut spaces) = (Vec::new(), String::new(), 0);
    while rest.next_if_eq(&' ').is_some() {}
    let end = loop {
        let (next, is_escaped) = match rest.next() {
            Some('\\') => match rest.next() {
                Some(next) if SPECIAL.contains(&next) => (next, true),
                other => return Err(DescriptorPatternError::Backslash(other)),
            },
            Some(next) => (next, false),
            None => break None,
        };
        match next {
            ',' | '=' if !is_escaped => break Some(next),
            // Those at the end do not count.
            ' ' if !is_escaped => spaces += 1,
            _ => {
                part.extend(std::iter::repeat_n(' ', std::mem::take(&mut spaces)));
                match next {
                    '*' if !is_escaped => parts.push(std::mem::take(&mut part)),
                    next => part.push(next),
                }
            }
        }
    };
    parts.push(part);
    Ok((parts, end))
}

impl fmt::Display for DescriptorPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            entry.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for EntryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_escaped(&self.key, f)?;
        let Some(value) = &self.value else { return Ok(()) };
        f.write_str("=")?;
        for (index, part) in value.parts().iter().enumerate() {
            if index > 0 {
                f.write_str("*")?;
            }
            write_escaped(part, f)?;
        }
        Ok(())
    }
}

/// Writes `text` with a backslash before what has a meaning. A space has one only at an end, but another backslash does
/// no harm.
fn write_escaped(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    text.chars().try_for_each(|next| {
        if SPECIAL.contains(&next) {
            f.write_str("\\")?;
        }
        fmt::Write::write_char(f, next)
    })
}

impl fmt::Display for DescriptorPatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str(
                "an entry has no key: expected keys, or keys with values, as in \"generic_key=login, remote_address\"",
            ),
            Self::StarInKey(key) => write!(
                f,
                "{key:?} is not a key: a star stands for any text in values alone, and \"\\*\" for itself"
            ),
            Self::SecondEqualsSign(key) => write!(
                f,
                "the value of {key:?} has an equals sign: expected \"\\=\", which stands for one"
            ),
            Self::Backslash(Some(other)) => write!(
                f,
                "a backslash stands before {other:?}: expected a comma, an equals sign, a star, a space or another \
                 backslash after it"
            ),
            Self::Backslash(None) => f.write_str(
                "a backslash stands at the end: expected a comma, an equals sign, a star, a space or another \
                 backslash after it",
            ),
        }
    }
}

impl std::error::Error for DescriptorPatternError {}
