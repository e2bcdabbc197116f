//! Why parts make no key together.

use std::fmt;

use crate::domain::key::MAX_PARTS;

/// Why parts make no key together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyPartsError {
    /// There is none.
    Empty,
    /// There are more parts than a key may have.
    TooMany(usize),
    /// This part is there twice.
    Twice(String),
    /// This one says nothing beside others, or says all by itself.
    Alone(String),
    /// `user-or-ip` beside one of the two that it chooses from.
    UserOrIp,
}

impl fmt::Display for KeyPartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a key has no part: expected one to count by, such as ip"),
            Self::TooMany(number) => {
                write!(f, "a key has {number} parts: expected at most {MAX_PARTS}")
            }
            Self::Twice(part) => {
                write!(f, "a key has the part {part} twice: expected each part once")
            }
            Self::Alone(part) => {
                write!(f, "{part} cannot be a part of a key: expected it alone, or the others without it")
            }
            Self::UserOrIp => f.write_str(
                "user-or-ip stands beside user or ip in a key: expected both user and ip instead, which counts the same",
            ),
        }
    }
}

impl std::error::Error for KeyPartsError {}
