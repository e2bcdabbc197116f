//! Identities of several parts, such as an address and the value of a header field.

use std::fmt;

use super::{Identity, IdentityParts};

/// The most parts that a key may have.
pub(crate) const MAX_PARTS: usize = 4;

/// What stands between two parts. No part has it in its text.
pub(super) const JOINT: char = ',';

/// The kinds that may be a part, in the order in which they stand.
pub(super) const PART_KINDS: [&str; 9] =
    ["ip", "user", "header", "claim", "cookie", "query", "host", "segment", "route"];

/// The place of a part of this kind and name among others.
pub(crate) fn part_order<'a>(kind: &str, name: Option<&'a str>) -> (usize, Option<&'a str>) {
    (PART_KINDS.iter().position(|it| *it == kind).unwrap_or(PART_KINDS.len()), name)
}

impl<'a> IdentityParts<'a> {
    /// The parts, in their order. Each is one of the other identities.
    #[must_use]
    pub fn as_slice(&self) -> &[Identity<'a>] {
        &self.0
    }

    /// All of `parts`, which must be in their order.
    pub(crate) fn in_order(parts: impl Iterator<Item = Identity<'a>>) -> Self {
        Self(parts.collect())
    }

    /// All of `parts`, in any order. `None` if they are none together.
    pub(super) fn of(mut parts: Vec<Identity<'a>>) -> Option<Self> {
        parts.sort_by(|one, other| order(one).cmp(&order(other)));
        let may_be_parts = (2..=MAX_PARTS).contains(&parts.len())
            && parts.iter().all(|part| PART_KINDS.contains(&part.kind()))
            && parts.windows(2).all(|pair| order(&pair[0]) != order(&pair[1]));
        may_be_parts.then(|| Self(parts.into()))
    }

    pub(super) fn write_to(&self, text: &mut impl fmt::Write) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                text.write_char(JOINT)?;
            }
            part.write_one(text)?;
        }
        Ok(())
    }
}

fn order<'i>(identity: &'i Identity<'_>) -> (usize, Option<&'i str>) {
    part_order(identity.kind(), identity.name())
}
