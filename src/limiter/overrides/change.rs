//! Who changed what, and why.

use super::entry::SEPARATOR;
use crate::domain::clock::Millis;

/// The most characters of a name of who makes a change, and of a reason.
pub(super) const MOST_BY: usize = 100;
pub(super) const MOST_WHY: usize = 200;

/// Who makes a change, and why.
#[derive(Clone, Copy, Debug)]
pub struct Note<'a> {
    pub(super) by: &'a str,
    pub(super) why: &'a str,
}

impl<'a> Note<'a> {
    /// A change by `by`, of at most 100 characters, because of `why`, of at most 200. Neither may have line
    /// breaks or other control characters.
    #[must_use]
    pub fn new(by: &'a str, why: &'a str) -> Self {
        Self { by, why }
    }
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditLine {
    /// When, in milliseconds since the epoch by the store's clock.
    pub at: Millis,
    /// Who made it.
    pub by: String,
    /// What was done: `ban`, `unban`, `boost`, `unboost`, `disable`, `enable`, or what a caller of
    /// [`Limiter::note_change`](crate::Limiter::note_change) says.
    pub action: String,
    /// To whom or what: a client's identity, a policy, or both.
    pub subject: String,
    /// Why.
    pub why: String,
    /// What held before.
    pub before: String,
    /// What holds now.
    pub after: String,
}

impl AuditLine {
    /// It as a line. What could end a field or the line is replaced.
    pub(super) fn text(&self) -> String {
        let plain = |field: &str| field.replace(char::is_control, " ");
        let Self { at, by, action, subject, why, before, after } = self;
        let fields = [&at.to_string(), action, subject, by, why, before, after];
        fields.map(|field| plain(field)).join(&SEPARATOR.to_string())
    }

    /// Reads a line back; `None` if it is not one.
    pub(super) fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(SEPARATOR).collect();
        let [at, action, subject, by, why, before, after] = fields[..] else { return None };
        let own = str::to_owned;
        Some(Self {
            at: at.parse().ok()?,
            by: own(by),
            action: own(action),
            subject: own(subject),
            why: own(why),
            before: own(before),
            after: own(after),
        })
    }
}
