//! The pieces of a pattern.

use crate::app::access_log::role::Role;

/// Whose notation a pattern is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    Nginx,
    Apache,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A text that is the same in each line.
    Text(Vec<u8>),
    /// A value; those of a fixed width need no text behind them.
    Value { role: Role, width: Option<usize> },
}

/// The pieces that are known so far. Texts that follow one another become one.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Piece>);

impl Pieces {
    pub(super) fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(before)) => before.extend_from_slice(text.as_bytes()),
            _ => self.0.push(Piece::Text(text.as_bytes().to_vec())),
        }
    }

    pub(super) fn value(&mut self, role: Role) {
        // A query directly behind a path makes the target with it, as in %U%q and $uri$is_args$args.
        if role == Role::Query
            && let Some(Piece::Value { role: before @ (Role::Path | Role::Target), .. }) =
                self.0.last_mut()
        {
            *before = Role::Target;
            return;
        }
        self.0.push(Piece::Value { role, width: None });
    }

    pub(super) fn fixed(&mut self, role: Role, width: usize) {
        self.0.push(Piece::Value { role, width: Some(width) });
    }

    pub(super) fn into_vec(self) -> Vec<Piece> {
        self.0
    }
}
