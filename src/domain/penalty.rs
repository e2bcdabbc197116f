//! A [`Penalty`]: bans of clients that a policy denies again and again. Its state and its arithmetic are pure, as
//! those of the algorithms are.
//!
//! Denials are counted in windows that begin with the first of them. The denial that completes the number begins
//! a ban. Each further ban is twice as long as the one before, up to the longest one. The bans are forgotten
//! once the client has not been banned for as long as the longest one lasts.

use std::fmt;

use crate::domain::clock::Millis;
use crate::domain::quota::MAX_WINDOW;

/// The most bans that are counted. So many doublings of a millisecond are longer than any ban.
const MOST_BANS: u8 = 40;

/// When a policy bans a client that it denies again and again, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Penalty {
    denials: u32,
    within: Millis,
    ban: Millis,
    longest_ban: Millis,
}

impl Penalty {
    /// The largest number of denials.
    pub const MOST_DENIALS: u32 = 1_000_000;

    /// Bans a client once it was denied so many times `within` so many milliseconds: at first for `ban`
    /// milliseconds, and each further time for twice as long, up to `longest_ban`.
    ///
    /// # Errors
    /// If a number is 0 or too large, or the longest ban is shorter than the first one.
    pub fn new(
        denials: u32,
        within: Millis,
        ban: Millis,
        longest_ban: Millis,
    ) -> Result<Self, PenaltyError> {
        if !(1..=Self::MOST_DENIALS).contains(&denials) {
            return Err(PenaltyError::Denials);
        }
        if [within, ban, longest_ban].iter().any(|it| !(1..=MAX_WINDOW).contains(it)) {
            return Err(PenaltyError::Duration);
        }
        if longest_ban < ban {
            return Err(PenaltyError::LongestBan);
        }
        Ok(Self { denials, within, ban, longest_ban })
    }

    /// How many denials begin a ban.
    #[must_use]
    pub fn denials(&self) -> u32 {
        self.denials
    }

    /// For how many milliseconds denials are counted together, from the first one on.
    #[must_use]
    pub fn within(&self) -> Millis {
        self.within
    }

    /// How many milliseconds the first ban lasts.
    #[must_use]
    pub fn ban(&self) -> Millis {
        self.ban
    }

    /// How many milliseconds a ban lasts at most, and after how many without a ban all bans are forgotten.
    #[must_use]
    pub fn longest_ban(&self) -> Millis {
        self.longest_ban
    }
}

/// Why numbers make no [`Penalty`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PenaltyError {
    /// The number of denials is 0, or more than [`Penalty::MOST_DENIALS`].
    Denials,
    /// A duration is 0, or longer than a window may be.
    Duration,
    /// The longest ban is shorter than the first one.
    LongestBan,
}

impl fmt::Display for PenaltyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denials => write!(f, "expected 1 to {} denials", Penalty::MOST_DENIALS),
            Self::Duration => write!(f, "expected durations of 1 to {MAX_WINDOW} milliseconds"),
            Self::LongestBan => f.write_str("the longest ban is shorter than the first one"),
        }
    }
}

impl std::error::Error for PenaltyError {}

/// What is known of the denials of one client by one policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PenaltyState {
    /// When the first of the denials was that are counted.
    since: Millis,
    /// The denials since then that have begun no ban.
    denied: u32,
    /// The bans that are not forgotten.
    bans: u8,
    banned_until: Millis,
}

impl PenaltyState {
    /// The state as it is read at `now`: what is over is left out. So is what lies further ahead than `penalty` can
    /// have put it, since a wrong clock wrote that.
    pub(crate) fn read(self, penalty: &Penalty, now: Millis) -> Self {
        let Self { since, denied, bans, banned_until } = self;
        let holds = |from: Millis, lasts: Millis| from <= now + lasts && now < from + lasts;
        let is_counted = holds(since, penalty.within);
        let is_remembered = holds(banned_until, penalty.longest_ban);
        Self {
            since: if is_counted { since } else { 0 },
            denied: if is_counted { denied } else { 0 },
            bans: if is_remembered { bans } else { 0 },
            banned_until: if is_remembered { banned_until } else { 0 },
        }
    }

    /// Whether a wrong clock wrote the state, or a part of it. It is then written again as it is read, since it would
    /// hold again later.
    pub(crate) fn is_astray(&self, penalty: &Penalty, now: Millis) -> bool {
        self.since > now + penalty.within || self.banned_until > now + penalty.longest_ban
    }

    /// For how many milliseconds the client is banned; 0 if it is not. The state is as it is read at `now`.
    pub(crate) fn banned_for(&self, now: Millis) -> Millis {
        self.banned_until.saturating_sub(now)
    }

    /// How many more denials begin a ban, at least 1.
    pub(crate) fn denials_until_ban(&self, penalty: &Penalty) -> u32 {
        penalty.denials.saturating_sub(self.denied).max(1)
    }

    /// Counts so many denials at `now`, at most as many as begin a ban. The state is as it is read then.
    pub(crate) fn count(&mut self, penalty: &Penalty, now: Millis, denials: u32) {
        if self.denied == 0 {
            self.since = now;
        }
        let begins_ban = denials >= self.denials_until_ban(penalty);
        self.denied = self.denied.saturating_add(denials);
        if begins_ban {
            self.bans = (self.bans + 1).min(MOST_BANS);
            let doubled = penalty.ban.saturating_mul(1 << (self.bans - 1));
            self.banned_until = now + doubled.min(penalty.longest_ban);
            (self.denied, self.since) = (0, 0);
        }
    }

    /// The state of a client that is banned until then, as another store tells.
    pub(crate) fn banned_until(self, banned_until: Millis) -> Self {
        Self { bans: self.bans.max(1), banned_until, ..self }
    }

    /// From this time on, the state means no more than its absence would.
    pub(crate) fn kept_until(&self, penalty: &Penalty) -> Millis {
        let counted = if self.denied > 0 { self.since + penalty.within } else { 0 };
        let remembered = if self.bans > 0 { self.banned_until + penalty.longest_ban } else { 0 };
        counted.max(remembered)
    }
}

#[cfg(test)]
mod tests;
