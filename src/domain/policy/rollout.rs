//! How far a policy is in force: for every key, for a share of them, or only on trial.

use std::fmt;
use std::str::FromStr;

use super::error::PolicyError;
use crate::domain::quota::{Quota, Quotas};

/// What ends the name of a candidate. No other policy has such a name, since no name has a `~`.
pub(crate) const CANDIDATE: &str = "~candidate";

/// How far a policy is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rollout {
    /// It refuses requests.
    Enforce {
        /// The share of its keys for which it is in force. For all others it is in shadow. A key is in the share always
        /// or never, in every process: a hash of its identity decides.
        share: Share,
        /// Other quotas, which are tried out in place of the policy's own, on the same requests. The burst of a token
        /// bucket grows in proportion. Plans, users and networks that have quotas of their own have no candidate.
        candidate: Option<Quotas>,
    },
    /// It is decided and charged like any other policy, but it refuses nothing and stands in no header field.
    Shadow,
    /// It is neither decided nor charged.
    Off,
}

impl Rollout {
    /// In force for every key, without a candidate, as all policies are by default.
    pub const ENFORCE: Self = Self::Enforce { share: Share::ALL, candidate: None };

    /// The quotas that are tried out.
    #[must_use]
    pub fn candidate(&self) -> Option<&Quotas> {
        match self {
            Self::Enforce { candidate, .. } => candidate.as_ref(),
            Self::Shadow | Self::Off => None,
        }
    }

    /// The same, with what `map` makes of each quota of the candidate.
    pub(super) fn map_candidate(self, map: impl Fn(Quota) -> Quota) -> Self {
        match self {
            Self::Enforce { share, candidate } => {
                Self::Enforce { share, candidate: candidate.map(|quotas| quotas.map(map)) }
            }
            other => other,
        }
    }
}

/// A share of a whole, as of the keys of a policy, in hundredths of a percent: `10%`, `0.25%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share(u16);

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// All.
    pub const ALL: Self = Self(10_000);

    /// The share in hundredths of a percent, 10,000 for all.
    #[must_use]
    pub fn basis_points(self) -> u16 {
        self.0
    }

    /// The share of `all`, rounded down.
    #[cfg(feature = "server")]
    pub(crate) fn of(self, all: u64) -> u64 {
        let part = u128::from(all) * u128::from(self.0) / u128::from(Self::ALL.0);
        // No share is more than all.
        u64::try_from(part).unwrap_or(all)
    }

    /// The share of `all`, rounded up.
    pub(super) fn of_rounded_up(self, all: u64) -> u64 {
        let part = (u128::from(all) * u128::from(self.0)).div_ceil(Self::ALL.0.into());
        u64::try_from(part).unwrap_or(all)
    }
}

impl FromStr for Share {
    type Err = PolicyError;

    /// Reads a percentage of at most two decimals.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let read = || {
            let number = text.strip_suffix('%')?;
            let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
            let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if !are_digits(whole) || !are_digits(decimals) || !(1..=2).contains(&decimals.len()) {
                return None;
            }
            let hundredths: u16 = format!("{decimals:0<2}").parse().ok()?;
            let share = whole.parse::<u16>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
            (share <= Self::ALL.0).then_some(Self(share))
        };
        read().ok_or_else(|| PolicyError::Share(text.to_owned()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => write!(f, "{whole}%"),
            _ if hundredths % 10 == 0 => write!(f, "{whole}.{}%", hundredths / 10),
            _ => write!(f, "{whole}.{hundredths:02}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_of_at_most_two_decimals() {
        for (text, basis_points) in [
            ("10%", 1_000),
            ("0.25%", 25),
            ("0.5%", 50),
            ("0%", 0),
            ("100%", 10_000),
            ("12.05%", 1_205),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!((share.basis_points(), share.to_string().as_str()), (basis_points, text));
        }
        for text in ["", "%", "10", "101%", "100.01%", "1.005%", "-1%", "1.%", "1e1%", " 1%", "٣%"]
        {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
