//! Log formats as servers are configured with: a [`Pattern`] of texts and values.

use std::str::FromStr;

use self::piece::{Flavor, Piece};
use super::role::{Role, TimePart};

mod apache;
mod directive;
mod matching;
mod nginx;
mod piece;
mod time_parts;

pub(super) use self::matching::Matcher;

/// A `log_format` of nginx or a `LogFormat` of Apache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    flavor: Flavor,
    pieces: Vec<Piece>,
}

impl Pattern {
    /// The name of the directive that it stands in.
    pub(super) fn name(&self) -> &'static str {
        match self.flavor {
            Flavor::Nginx => "log_format",
            Flavor::Apache => "LogFormat",
        }
    }

    /// What reads lines by it.
    pub(super) fn matcher(&self) -> Matcher {
        Matcher::new(self.pieces.clone())
    }

    fn checked(self) -> Result<Self, String> {
        let has_time = self.pieces.iter().any(|piece| match piece {
            Piece::Value { role: Role::Time(_), .. } => true,
            Piece::Value { role: Role::Part(TimePart::Epoch | TimePart::Hour), .. } => true,
            Piece::Value { .. } | Piece::Text(_) => false,
        });
        if !has_time {
            return Err(match self.flavor {
                Flavor::Nginx => "it has no time: expected $time_local, $time_iso8601 or $msec",
                Flavor::Apache => "it has no time: expected %t",
            }
            .to_owned());
        }
        let is_open = |pair: &[Piece]| {
            matches!(pair, [Piece::Value { width: None, .. }, Piece::Value { .. }])
        };
        if self.pieces.windows(2).any(is_open) {
            return Err("nothing separates two of its values".to_owned());
        }
        Ok(self)
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = directive::contents(text);
        // Values of nginx begin with a dollar sign, and those of Apache with a percent sign.
        let pattern = if text.contains('$') {
            Self { flavor: Flavor::Nginx, pieces: nginx::pieces(&text)? }
        } else {
            Self { flavor: Flavor::Apache, pieces: apache::pieces(&text)? }
        };
        pattern.checked()
    }
}

#[cfg(test)]
mod tests;
