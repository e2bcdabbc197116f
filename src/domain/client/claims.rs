//! What a verified token says of its user: [`Claims`].

use std::fmt;

/// Claims of a verified token, by their names.
///
/// ```
/// use tollgate::Claims;
///
/// let claims = Claims::default().with("org", "acme");
/// assert_eq!(claims.get("org"), Some(&b"acme"[..]));
/// assert_eq!(claims.get("team"), None);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Claims(
    // There are few of them: those that a policy counts by.
    Vec<(Box<str>, Box<[u8]>)>,
);

impl Claims {
    /// The same claims, with `value` for `name` in place of one that it had.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.0.retain(|(it, _)| **it != *name);
        self.0.push((name.into(), value.as_ref().into()));
        self
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(it, _)| **it == *name).map(|(_, value)| &**value)
    }
}

/// Leaves out the values, which may be personal.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
