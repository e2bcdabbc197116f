//! The value of an entry, in which stars stand for any text.

/// The texts between the stars of a value. A single text without a star is a value by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wildcard(Vec<String>);

impl Wildcard {
    /// The values in which `parts` stand in this order: the first of them at the beginning, the last one at the end.
    pub(super) fn of(parts: Vec<String>) -> Self {
        Self(parts)
    }

    /// The texts between its stars.
    pub(crate) fn parts(&self) -> &[String] {
        &self.0
    }

    /// The only value that it matches, if it has no star.
    pub(crate) fn only_value(&self) -> Option<&str> {
        match &self.0[..] {
            [] => Some(""),
            [value] => Some(value),
            _ => None,
        }
    }

    /// Whether it matches `value`. The time grows with the product of the lengths, and not faster.
    pub(super) fn matches(&self, value: &str) -> bool {
        let [first, between @ .., last] = &self.0[..] else {
            return self.only_value() == Some(value);
        };
        let Some(rest) = value.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        // Where a text stands twice, its first place leaves the most for those after it.
        between.iter().all(|part| match rest.split_once(part.as_str()) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    }

    /// Whether it is asked before `other`: it has more characters, or as many and comes first in the alphabet.
    pub(super) fn comes_before(&self, other: &Self) -> bool {
        let order = |it: &Self| {
            let length: usize = it.0.iter().map(String::len).sum();
            (std::cmp::Reverse(length), it.0.clone())
        };
        order(self) < order(other)
    }
}
