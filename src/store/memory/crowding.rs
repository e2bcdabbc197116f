//! How a new key is counted when its policy has little room left.
//!
//! A live entry never makes room for another: otherwise a client that makes up keys could reset counts. New
//! keys are counted more coarsely instead, depending on how full the policy's room is:
//!
//! ```text
//! taken of the room         a new key is counted
//! less than 80 %            by itself
//! 80 % and more             IPv6: with its /48, which is a site; others: by itself
//! 90 % and more             IPv6: with its /32, which is a provider; others: by itself
//! all                       with others, in one of the policy's overflow counts
//! ```
//!
//! So no number of IPv6 networks fills a room: from 90 % on, each /32 takes one place. Every count has the
//! policy's own quota. The fingerprint of a key decides which overflow count it is in. It is secret, so a
//! client cannot choose, and no single client can use up what all others share. There is always a place for
//! the overflow counts, since their number is fixed.

use crate::domain::key::{Identity, Ipv6Prefix};
use crate::store::{Charge, Fingerprint, Key};

/// The prefix of the largest network that a site usually has (RFC 6177).
const SITE: u8 = 48;

/// The prefix of the smallest network that a provider usually has.
const PROVIDER: u8 = 32;

/// The percentages of the table above.
pub(super) const FILLING: usize = 80;
const NEARLY_FULL: usize = 90;
pub(super) const FULL: usize = 100;

/// How many overflow counts a policy has: one for a hundred keys.
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
    /// The index of its shard among those that are locked.
    pub(super) shard: usize,
}

impl Counted {
    /// The key's own count.
    pub(super) fn own(key: &Key) -> Self {
        Self { fingerprint: key.fingerprint(), level: Level::Own, shard: 0 }
    }

    /// A new count of this level gets a place if less than this percentage of its room is taken.
    pub(super) fn limit(self, key: &Key) -> usize {
        match (self.level, key.network().map(|network| network.prefix().length())) {
            (Level::Own, Some(length)) if length > SITE => FILLING,
            (Level::Own, Some(length)) if length > PROVIDER => NEARLY_FULL,
            (Level::Site, _) => NEARLY_FULL,
            _ => FULL,
        }
    }

    /// The next coarser count of `charge`, whose policy has `overflow_counts` of them.
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

    /// The overflow count of this key. Each plan of a policy has its own ones, so that no quota is
    /// charged with what was used under another.
    fn overflow(self, charge: &Charge, overflow_counts: usize) -> Self {
        let (slot, _) = self.fingerprint.slot(overflow_counts);
        let terms = charge.policy.terms();
        let policy = charge.key.fingerprint_for(&"overflow");
        let fingerprint = policy.with(terms.units).with(terms.burst).with(slot as u64);
        Self { fingerprint, level: Level::Overflow, shard: 0 }
    }
}

#[cfg(test)]
mod tests;
