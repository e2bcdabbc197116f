//! In which order keys are shown.

use std::cmp::Reverse;

use super::figures::{Estimate, KeyFigures};
use crate::app::observation::Rank;

/// In which order keys are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Refused,
    RefusedPerSecond,
    Requests,
    RequestsPerSecond,
}

/// How often a key comes and is refused in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyRates {
    pub(super) requests: Option<f64>,
    pub(super) refused: Option<f64>,
}

impl Order {
    pub(super) fn of(by: Rank) -> Self {
        match by {
            Rank::Refused => Self::Refused,
            Rank::Busiest => Self::Requests,
        }
    }

    /// The order after this one.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Refused => Self::RefusedPerSecond,
            Self::RefusedPerSecond => Self::Requests,
            Self::Requests => Self::RequestsPerSecond,
            Self::RequestsPerSecond => Self::Refused,
        }
    }

    /// Which keys come first.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Refused => "most refused",
            Self::RefusedPerSecond => "most refused at the moment",
            Self::Requests => "busiest",
            Self::RequestsPerSecond => "busiest at the moment",
        }
    }

    /// Whether it is about refusals alone.
    pub(super) fn is_of_refusals(self) -> bool {
        matches!(self, Self::Refused | Self::RefusedPerSecond)
    }

    /// Where a key stands in this order: the lowest is first.
    pub(super) fn rank(self, key: &KeyFigures, rates: KeyRates) -> impl Ord + use<> {
        let count = |estimate: Option<Estimate>| estimate.map_or(0, |it| it.count);
        let per_second = |rate: Option<f64>| {
            // A rate is not negative, and such numbers are in the order of their bits.
            rate.unwrap_or_default().to_bits()
        };
        let (refused, requests) = (count(key.refused), count(key.requests));
        Reverse(match self {
            Self::Refused => (refused, requests),
            Self::RefusedPerSecond => (per_second(rates.refused), refused),
            Self::Requests => (requests, refused),
            Self::RequestsPerSecond => (per_second(rates.requests), requests),
        })
    }
}
