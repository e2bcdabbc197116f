//! The length of time that a quota is for: a [`Window`].

use std::fmt;
use std::str::FromStr;

use crate::domain::clock::Millis;
use crate::domain::quota::{Quota, QuotaError};

/// The length of time that a quota is for, as in `minute` or `10 minutes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window(Quota);

impl Window {
    /// Its length.
    pub(super) fn millis(self) -> Millis {
        self.0.window().longest()
    }

    /// A quota of `units` in such a window.
    ///
    /// # Errors
    /// If `units` is 0 or above 2^53 - 1.
    pub(super) fn quota(self, units: u64) -> Result<Quota, QuotaError> {
        Quota::new(units, self.millis())
    }
}

impl FromStr for Window {
    type Err = UnknownWindow;

    fn from_str(text: &str) -> Result<Self, UnknownWindow> {
        let quota = format!("1/{}", text.trim_start()).parse();
        let quota: Option<Quota> = quota.ok();
        // How long a window is decides about other algorithms, and about what could be abused.
        let quota = quota.filter(|quota| quota.window().calendar().is_none());
        quota.map(Self).ok_or_else(|| UnknownWindow(text.to_owned()))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.window_in_units() {
            (1, name) => f.write_str(name),
            (number, name) => write!(f, "{number} {name}s"),
        }
    }
}

/// A text that is not a [`Window`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownWindow(String);

impl fmt::Display for UnknownWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a window of one length: expected at most 366 days, as in \"second\", \"minute\", \"day\", \
             \"10 minutes\" or, for a month, \"30 days\"",
            self.0
        )
    }
}

impl std::error::Error for UnknownWindow {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_what_follows_the_slash_of_a_quota() {
        for (text, millis, shown) in [
            ("second", 1_000, "second"),
            (" Minute", 60_000, "minute"),
            ("10 minutes", 600_000, "10 minutes"),
            ("24 hours", 86_400_000, "day"),
        ] {
            let window: Window = text.parse().unwrap();
            assert_eq!((window.millis(), window.to_string().as_str()), (millis, shown));
        }
        for text in [
            "",
            "fortnight",
            "0 seconds",
            "1/minute",
            "367 days",
            "0.5 seconds",
            "/minute",
            "month",
        ] {
            assert!(text.parse::<Window>().is_err(), "{text}");
        }
    }
}
