//! A client that a policy denies again and again: all that happened, as it happened.

use std::ops::Range;

use tollgate::Penalty;

/// A policy with a penalty, by the indices of its quotas among the charges, and the key of what is known of the client.
#[derive(Clone, Debug)]
pub(crate) struct Penalized {
    pub(crate) charges: Range<usize>,
    pub(crate) penalty: Penalty,
    pub(crate) key: String,
}

/// Which penalty bans a client, for how long, and how many requests policies decided until it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ban {
    pub(crate) penalty: usize,
    pub(crate) lasts: u64,
    pub(crate) decided: u64,
}

/// What is known of a client under one policy.
#[derive(Debug, Default)]
pub(super) struct Offender {
    /// When it was denied, since the first denial that still counts.
    denials: Vec<i128>,
    /// When each ban ended, or will, since the first one that is not forgotten.
    bans: Vec<i128>,
}

impl Offender {
    /// For how long it is banned at `now`. A ban that would last longer than any ban was made by a wrong clock.
    pub(super) fn banned_for(&self, penalty: &Penalty, now: i128) -> u64 {
        let lasts = self.bans.last().map_or(0, |end| end - now);
        let is_right = (0..=i128::from(penalty.longest_ban())).contains(&lasts);
        if is_right { super::unsigned(lasts) } else { 0 }
    }

    /// Forgets what is further ahead than it can be: a wrong clock noted it.
    pub(super) fn put_right(&mut self, penalty: &Penalty, now: i128) {
        let is_ahead = |at: Option<&i128>, lasts: u64| at.is_some_and(|at| at - now > lasts.into());
        if is_ahead(self.denials.first(), penalty.within()) {
            self.denials.clear();
        }
        if is_ahead(self.bans.last(), penalty.longest_ban()) {
            self.bans.clear();
        }
    }

    /// Notes a denial at `now`, which may begin a ban.
    pub(super) fn denied(&mut self, penalty: &Penalty, now: i128) {
        let [within, ban, longest] =
            [penalty.within(), penalty.ban(), penalty.longest_ban()].map(i128::from);
        // What is too long ago counts no longer.
        let is_over = |at: i128, lasts: i128| now - at >= lasts;
        if self.denials.first().is_some_and(|first| is_over(*first, within)) {
            self.denials.clear();
        }
        if self.bans.last().is_some_and(|end| is_over(*end, longest)) {
            self.bans.clear();
        }
        self.denials.push(now);
        if self.denials.len() >= penalty.denials() as usize {
            let mut length = ban;
            for _ in &self.bans {
                length = (2 * length).min(longest);
            }
            self.bans.push(now + length);
            self.denials.clear();
        }
    }
}
