use std::fmt::Debug;

use super::error::StoreError;
use crate::domain::clock::Millis;

/// Keeps the overrides that operators make, as one text for all processes, and a list of what was changed.
///
/// The stores of this crate are such stores. The text has a generation, which another text never has again.
/// These calls block the caller until the store has answered or failed: they are no part of a request.
pub trait OverrideStore: Debug + Send + Sync {
    /// Reads the text. If its generation is `known`, the answer need not hold it.
    ///
    /// # Errors
    /// If the store does not answer.
    fn read_overrides(&self, known: Option<u64>) -> Result<OverrideText, StoreError>;

    /// Replaces the text and notes the change, both in one step. Returns the new generation; `None` if the
    /// text is of another generation than expected, because somebody else has replaced it. Then nothing was
    /// changed.
    ///
    /// # Errors
    /// If the store does not answer. Unless the error [may have
    /// charged](crate::StoreErrorKind::may_have_charged), nothing was changed.
    fn replace_overrides(&self, replace: &ReplaceOverrides<'_>) -> Result<Option<u64>, StoreError>;

    /// The lines of the changes, newest first, at most `most`.
    ///
    /// # Errors
    /// If the store does not answer.
    fn override_changes(&self, most: usize) -> Result<Vec<String>, StoreError>;
}

/// The text as it stands in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OverrideText {
    /// The time by the store's clock. It says which overrides have ended.
    pub now: Millis,
    /// The generation of the text; 0 if there is none.
    pub generation: u64,
    /// The text, empty if there is none; `None` if its generation was known.
    pub text: Option<String>,
}

impl OverrideText {
    /// A text of `generation`, as it stands at `now`.
    #[must_use]
    pub fn new(now: Millis, generation: u64, text: Option<String>) -> Self {
        Self { now, generation, text }
    }
}

/// A text in place of another.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReplaceOverrides<'a> {
    /// The generation that the text is expected to have.
    pub generation: u64,
    /// The new text.
    pub text: &'a str,
    /// For how many milliseconds it is kept.
    pub keep_for: Millis,
    /// The line that tells what was changed.
    pub change: &'a str,
}

/// The most lines of changes that a store keeps.
pub(crate) const MOST_CHANGES: usize = 1_000;
/// For how many milliseconds a store keeps the lines after the last change.
#[cfg(feature = "redis")]
pub(crate) const CHANGES_KEPT_FOR: Millis = 30 * 24 * 3_600_000;
