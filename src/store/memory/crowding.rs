//! Where a new key is counted when its policy has little room left.
//!
//! A live entry never makes room for another, or whoever makes up keys could reset counts. So new keys
//! are counted coarser instead, the more so the fuller the policy's room is:
//!
//! ```text
//! of the room are taken     a new key is counted
//! less than 80 %            by itself
//! 80 % and more             IPv6: with its /48, which is a site; others: by itself
//! 90 % and more             IPv6: with its /32, which is a provider; others: by itself
//! all                       with others, in one of the policy's overflow counts
//! ```
//!
//! So no number of IPv6 networks fills a room: from 90 % on they take a place for each /32. Every count
//! has the policy's own quota. In which overflow count a key is depends on its hash alone, and nobody
//! outside knows that hash: so a client cannot choose, and no single client uses up what all the others
//! share. There are always places for the overflow counts, as their number is fixed.

use crate::domain::key::{Identity, Ipv6Prefix};
use crate::store::{Charge, Fingerprint, Key};

/// What a site has at most, commonly (RFC 6177).
const SITE: u8 = 48;

/// What a provider has at least, commonly.
const PROVIDER: u8 = 32;

/// The percentages of the table above.
pub(super) const FILLING: usize = 80;
const NEARLY_FULL: usize = 90;
pub(super) const FULL: usize = 100;

/// As many overflow counts has a policy: a hundredth of the keys.
pub(super) fn overflow_counts(max_keys: usize) -> usize {
    (max_keys / 100).max(1)
}

/// How coarsely a key is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Own,
    Site,
    Provider,
    Overflow,
}

/// The count that a charge is made to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) fingerprint: Fingerprint,
    pub(super) level: Level,
    /// The place of its shard among those that are locked.
    pub(super) shard: usize,
}

impl Counted {
    /// By the key itself.
    pub(super) fn own(key: &Key) -> Self {
        Self { fingerprint: key.fingerprint(), level: Level::Own, shard: 0 }
    }

    /// What percentage of its room may be taken, so that a new count of this level gets a place.
    pub(super) fn limit(self, key: &Key) -> usize {
        match (self.level, key.network().map(|network| network.prefix().length())) {
            (Level::Own, Some(length)) if length > SITE => FILLING,
            (Level::Own, Some(length)) if length > PROVIDER => NEARLY_FULL,
            (Level::Site, _) => NEARLY_FULL,
            _ => FULL,
        }
    }

    /// The next coarser count of `charge`, of a policy with so many overflow counts.
    pub(super) fn coarser(self, charge: &Charge, overflow_counts: usize) -> Self {
        let within = |length, level| {
            let network = charge.key.network()?.widened(Ipv6Prefix::new(length)?)?;
            let fingerprint = charge.key.fingerprint_for(&Identity::Ipv6(network));
            Some(Self { fingerprint, level, shard: 0 })
        };
        let network = match self.level {
            Level::Own => within(SITE, Level::Site).or_else(|| within(PROVIDER, Level::Provider)),
            Level::Site => within(PROVIDER, Level::Provider),
            Level::Provider | Level::Overflow => None,
        };
        network.unwrap_or_else(|| self.overflow(charge, overflow_counts))
    }

    /// The overflow count that this one is in. Plans of a policy have their own: no quota is charged with
    /// what was used under another.
    fn overflow(self, charge: &Charge, overflow_counts: usize) -> Self {
        let (place, _) = self.fingerprint.slot(overflow_counts);
        let terms = charge.policy.terms();
        let policy = charge.key.fingerprint_for(&"overflow");
        let fingerprint = policy.with(terms.units).with(terms.burst).with(place as u64);
        Self { fingerprint, level: Level::Overflow, shard: 0 }
    }
}

#[cfg(test)]
mod tests;
