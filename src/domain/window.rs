//! The time that a quota is for: a [`Window`].

use std::ops::Range;

use crate::domain::calendar::Calendar;
use crate::domain::clock::Millis;

/// The time window of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Windows of this length in milliseconds. Where they are aligned, it is to the Unix epoch.
    Fixed(Millis),
    /// Windows that end when the calendar says so. They are not all of one length.
    Calendar(Calendar),
}

impl Window {
    /// The length in milliseconds, if all its windows have the same.
    #[must_use]
    pub fn fixed(self) -> Option<Millis> {
        match self {
            Self::Fixed(length) => Some(length),
            Self::Calendar(_) => None,
        }
    }

    /// The calendar that ends its windows, if one does.
    #[must_use]
    pub fn calendar(self) -> Option<Calendar> {
        match self {
            Self::Fixed(_) => None,
            Self::Calendar(calendar) => Some(calendar),
        }
    }

    /// No window of it lasts longer, in milliseconds. It is the length of each, if they all have the same.
    #[must_use]
    pub fn longest(self) -> Millis {
        match self {
            Self::Fixed(length) => length,
            Self::Calendar(calendar) => calendar.longest(),
        }
    }

    /// The aligned window that holds `at`, from its first millisecond to the first one after it.
    #[must_use]
    pub fn holding(self, at: Millis) -> Range<Millis> {
        match self {
            Self::Fixed(length) => {
                let start = at - at % length;
                start..start + length
            }
            Self::Calendar(calendar) => calendar.window(at),
        }
    }
}
