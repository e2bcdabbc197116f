//! One or more quotas that hold together: [`Quotas`]; and what single clients may have instead: [`ClientQuota`].

use std::fmt;
use std::iter;
use std::str::FromStr;

use super::{Quota, QuotaError};

/// The word for a client to which a policy does not apply.
const UNLIMITED: &str = "unlimited";

/// One or more quotas that hold together, as in `200/day; 50/hour`: a request is admitted by all of them, or by none.
///
/// ```
/// use tollgate::Quotas;
///
/// let quotas: Quotas = "200/day; 50/hour".parse()?;
/// assert_eq!(quotas.first().units(), 200);
/// assert_eq!(quotas.to_string(), "200/day; 50/hour");
/// # Ok::<(), tollgate::QuotasError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Quotas {
    first: Quota,
    /// Empty for most, which then takes no allocation.
    further: Box<[Quota]>,
}

impl Quotas {
    /// The most quotas that may hold together. Each is a key of its own in the store.
    pub const MOST: usize = 8;

    /// These quotas.
    ///
    /// # Errors
    /// If there is none, if there are more than [`MOST`](Self::MOST), or if two have windows of the same length: then the
    /// larger one of the two would mean nothing. Of a day, a week, a month and a year there may be one each, whether the
    /// calendar ends it or not.
    pub fn new(quotas: impl IntoIterator<Item = Quota>) -> Result<Self, QuotasError> {
        let mut quotas = quotas.into_iter();
        let first = quotas.next().ok_or(QuotasError::Empty)?;
        let further: Box<[Quota]> = quotas.collect();
        if further.len() >= Self::MOST {
            return Err(QuotasError::TooMany(further.len() + 1));
        }
        let all = Self { first, further };
        for (number, one) in all.iter().enumerate() {
            // A month of one time zone and a month of another have the same words in header fields.
            let is_same = |other: &Quota| other.window_in_units() == one.window_in_units();
            if let Some(other) = all.iter().skip(number + 1).find(is_same) {
                return Err(QuotasError::SameWindow(one, other));
            }
        }
        Ok(all)
    }

    /// The same, with what `map` makes of each. It keeps the unit of every window.
    pub(in crate::domain) fn map(self, map: impl Fn(Quota) -> Quota) -> Self {
        let further = self.further.iter().map(|quota| map(*quota)).collect();
        Self { first: map(self.first), further }
    }

    /// The first of them.
    #[must_use]
    pub fn first(&self) -> Quota {
        self.first
    }

    /// Those after the first.
    #[must_use]
    pub fn further(&self) -> &[Quota] {
        &self.further
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Quota> + Clone {
        iter::once(self.first).chain(self.further.iter().copied())
    }
}

impl From<Quota> for Quotas {
    fn from(first: Quota) -> Self {
        Self { first, further: Box::default() }
    }
}

impl FromStr for Quotas {
    type Err = QuotasError;

    /// Reads quotas with `;` between them.
    fn from_str(text: &str) -> Result<Self, QuotasError> {
        // One may end with a `;`.
        let text = text.trim_end().strip_suffix(';').unwrap_or(text);
        let quotas = text.split(';').map(|quota| quota.trim().parse());
        Self::new(quotas.collect::<Result<Vec<Quota>, _>>()?)
    }
}

impl fmt::Display for Quotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        self.further.iter().try_for_each(|quota| write!(f, "; {quota}"))
    }
}

/// What a plan, a user or a network has in place of the quotas of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientQuota {
    /// These quotas.
    Limited(Quotas),
    /// No quota: the policy does not apply to these clients. Other policies still do.
    Unlimited,
}

impl ClientQuota {
    /// The same, with what `map` makes of each quota. It keeps the unit of every window.
    pub(in crate::domain) fn map(self, map: impl Fn(Quota) -> Quota) -> Self {
        match self {
            Self::Limited(quotas) => Self::Limited(quotas.map(map)),
            Self::Unlimited => Self::Unlimited,
        }
    }

    /// The quotas; none if it is unlimited.
    pub fn iter(&self) -> impl Iterator<Item = Quota> + Clone {
        let quotas = match self {
            Self::Limited(quotas) => Some(quotas),
            Self::Unlimited => None,
        };
        quotas.into_iter().flat_map(Quotas::iter)
    }
}

impl From<Quota> for ClientQuota {
    fn from(quota: Quota) -> Self {
        Self::Limited(quota.into())
    }
}

impl From<Quotas> for ClientQuota {
    fn from(quotas: Quotas) -> Self {
        Self::Limited(quotas)
    }
}

impl FromStr for ClientQuota {
    type Err = QuotasError;

    /// Reads `unlimited`, or [`Quotas`].
    fn from_str(text: &str) -> Result<Self, QuotasError> {
        if text.trim().eq_ignore_ascii_case(UNLIMITED) {
            return Ok(Self::Unlimited);
        }
        text.parse().map(Self::Limited)
    }
}

impl fmt::Display for ClientQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limited(quotas) => quotas.fmt(f),
            Self::Unlimited => f.write_str(UNLIMITED),
        }
    }
}

/// Why something cannot be [`Quotas`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotasError {
    /// One of them is not a quota.
    Quota(QuotaError),
    /// There is none.
    Empty,
    /// There are so many, and that is too many.
    TooMany(usize),
    /// Two quotas with windows of the same length.
    SameWindow(Quota, Quota),
}

impl From<QuotaError> for QuotasError {
    fn from(error: QuotaError) -> Self {
        Self::Quota(error)
    }
}

impl fmt::Display for QuotasError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quota(error) => error.fmt(f),
            Self::Empty => f.write_str("expected at least one quota, as in \"10/minute\""),
            Self::TooMany(number) => {
                write!(
                    f,
                    "{number} quotas are too many: at most {} may hold together",
                    Quotas::MOST
                )
            }
            Self::SameWindow(one, other) => {
                let (smaller, larger) =
                    if one.units() <= other.units() { (one, other) } else { (other, one) };
                write!(
                    f,
                    "{larger} means nothing beside {smaller}, since their windows are equally long: \
                     expected quotas with different windows, as in \"200/day; 50/hour\""
                )
            }
        }
    }
}

impl std::error::Error for QuotasError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::Weekday;

    #[test]
    fn quotas_read_back_as_printed() {
        for (text, printed) in [
            ("10/m", "10/minute"),
            ("200/day; 50/hour", "200/day; 50/hour"),
            (" 200/d;50/h ; 2 per second;", "200/day; 50/hour; 2/second"),
        ] {
            let quotas: Quotas = text.parse().unwrap();
            assert_eq!(quotas.to_string(), printed);
            assert_eq!(printed.parse(), Ok(quotas.clone()));
            assert_eq!(text.parse(), Ok(ClientQuota::Limited(quotas)));
        }
        assert_eq!(" Unlimited".parse(), Ok(ClientQuota::Unlimited));
        assert_eq!(ClientQuota::Unlimited.to_string(), "unlimited");
    }

    #[test]
    fn quotas_that_cannot_hold_together_are_refused_with_a_reason() {
        for (text, reason) in [
            ("", "\"\" is not a quota"),
            (";", "\"\" is not a quota"),
            ("10/minute;;5/hour", "\"\" is not a quota"),
            ("10/minute; often", "\"often\" is not a quota"),
            ("10/minute; unlimited", "\"unlimited\" is not a quota"),
            ("10/hour; 5/60 minutes", "10/hour means nothing beside 5/hour"),
            ("10/month; 5/1 month", "10/month means nothing beside 5/month"),
            ("1/s;1/2s;1/3s;1/4s;1/5s;1/6s;1/7s;1/8s;1/9s", "9 quotas are too many"),
        ] {
            let error = text.parse::<Quotas>().expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!("1/s;1/2s;1/3s;1/4s;1/5s;1/6s;1/7s;1/8s".parse::<Quotas>().is_ok());
        assert_eq!(Quotas::new([]), Err(QuotasError::Empty));
        assert!("10/month; 10/30 days; 10/31 days; 1/day".parse::<Quotas>().is_ok());
        // They would have one name in header fields.
        let (fixed, zone) = ("9/day".parse::<Quota>().unwrap(), "Europe/Berlin".parse().unwrap());
        let local = fixed.in_zone(zone, Weekday::Monday);
        assert_eq!(Quotas::new([fixed, local]), Err(QuotasError::SameWindow(fixed, local)));
    }
}
