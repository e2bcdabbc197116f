//! What a change has done, and what is told of it.

use super::change::{AuditLine, MOST_BY, MOST_WHY, Note};
use super::entry::{Effect, Override};
use super::error::OverrideError;
use crate::domain::clock::Millis;
use crate::store::StoreError;

/// What a change of the overrides has done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Changed {
    /// What held before; `None` if nothing did.
    pub before: Option<Override>,
    /// What holds now; `None` if nothing does. It says until when.
    pub after: Option<Override>,
    /// The policies whose penalty had banned the client, which it does no longer.
    pub penalties: Vec<Box<str>>,
    /// When it was changed, by the store's clock.
    pub now: Millis,
    /// What the operator may not have meant.
    pub warnings: Vec<OverrideWarning>,
}

/// What an operator may not have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverrideWarning {
    /// Many clients share this key.
    ManyClients,
    /// It is the address of a proxy that this process trusts, so all clients behind it may share it.
    TrustedProxy,
    /// No policy counts by such a key, so no request meets it.
    NoPolicy,
}

impl OverrideWarning {
    /// It as a sentence.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ManyClients => "Many clients share this key.",
            Self::TrustedProxy => {
                "This is the address of a trusted proxy: all clients behind it may share it."
            }
            Self::NoPolicy => "No policy counts by such a key, so no request meets this.",
        }
    }
}

/// All overrides that hold.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListedOverrides {
    /// The overrides.
    pub overrides: Vec<Override>,
    /// The time by the store's clock.
    pub now: Millis,
    /// Why the store does not answer. Then these are the ones that were read last.
    pub outdated: Option<StoreError>,
}

/// # Errors
/// If the note cannot stand in a line.
pub(super) fn valid(note: Note<'_>) -> Result<(), OverrideError> {
    let fits = |text: &str, most| text.chars().count() <= most && !text.contains(char::is_control);
    let is_valid = fits(note.by, MOST_BY) && fits(note.why, MOST_WHY);
    is_valid.then_some(()).ok_or(OverrideError::Note)
}

/// Takes out of `overrides` what is about the same as `meant`.
pub(super) fn take(overrides: &mut Vec<Override>, meant: &Override) -> Option<Override> {
    let at = overrides.iter().position(|it| it.replaces(meant))?;
    Some(overrides.remove(at))
}

pub(super) fn line_of(
    action: &str,
    now: Millis,
    before: Option<&Override>,
    after: Option<&Override>,
    meant: &Override,
    note: Note<'_>,
) -> AuditLine {
    let subject = match (&meant.key, &meant.policy) {
        (Some(key), Some(policy)) => format!("{key} under {policy}"),
        (Some(subject), None) | (None, Some(subject)) => subject.to_string(),
        (None, None) => String::new(),
    };
    let [before, after] =
        [before, after].map(|it| it.map_or("nothing".to_owned(), |it| told(it, now)));
    audit_line(now, action, subject, note, &before, &after)
}

/// An override in words, as it stands at `now`.
pub(super) fn told(it: &Override, now: Millis) -> String {
    let seconds = it.until.saturating_sub(now).div_ceil(1_000);
    match &it.effect {
        Effect::Ban => format!("banned for {seconds} s"),
        Effect::Boost(quota) => format!("{quota} for {seconds} s"),
        Effect::Off => format!("off for {seconds} s"),
    }
}

pub(super) fn audit_line(
    at: Millis,
    action: &str,
    subject: String,
    note: Note<'_>,
    before: &str,
    after: &str,
) -> AuditLine {
    AuditLine {
        at,
        by: note.by.to_owned(),
        action: action.to_owned(),
        subject,
        why: note.why.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

pub(super) fn log_change(line: &AuditLine) {
    let AuditLine { by, action, subject, why, before, after, .. } = line;
    log::info!(
        "An operator changed something: {action} {subject} by {by:?} ({why:?}): {before} before, {after} now."
    );
}
