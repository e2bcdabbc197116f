//! A time that is logged in parts.

use time::{Date, Month, Time, UtcOffset};

use crate::app::access_log::number::integer;
use crate::app::access_log::role::TimePart;
use crate::app::access_log::times::read_offset;
use crate::domain::clock::Millis;

const MONTHS: [&[u8]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// The parts of the time of one line.
#[derive(Debug, Default)]
pub(super) struct TimeParts {
    date: [u64; 3],
    time: [u64; 3],
    epoch: Option<u64>,
    millis: u64,
    offset: Option<UtcOffset>,
}

impl TimeParts {
    /// Takes a part; `None` if it cannot be read.
    pub(super) fn take(&mut self, part: TimePart, text: &[u8]) -> Option<()> {
        let number = || integer(text.trim_ascii_start());
        match part {
            TimePart::Year => self.date[0] = number()?,
            TimePart::Month => self.date[1] = number()?,
            TimePart::MonthName => {
                let index = MONTHS.iter().position(|month| *month == text)?;
                self.date[1] = u64::try_from(index).ok()? + 1;
            }
            TimePart::Day => self.date[2] = number()?,
            TimePart::Hour => self.time[0] = number()?,
            TimePart::Minute => self.time[1] = number()?,
            TimePart::Second => self.time[2] = number()?,
            TimePart::Epoch => self.epoch = Some(number()?),
            TimePart::Millis => self.millis = number()?,
            TimePart::Micros => self.millis = number()? / 1_000,
            TimePart::Offset => self.offset = Some(read_offset(text)?),
        }
        Some(())
    }

    /// The time, without the part of a second.
    pub(super) fn whole_seconds(&self) -> Option<Millis> {
        if let Some(epoch) = self.epoch {
            return epoch.checked_mul(1_000);
        }
        let [year, month, day] = self.date;
        let small = |number: u64| u8::try_from(number).ok();
        let month = Month::try_from(small(month)?).ok()?;
        let date = Date::from_calendar_date(i32::try_from(year).ok()?, month, small(day)?).ok()?;
        let [hour, minute, second] = self.time;
        // A leap second is taken as the second before it.
        let time = Time::from_hms(small(hour)?, small(minute)?, small(second)?.min(59)).ok()?;
        let offset = self.offset.unwrap_or(UtcOffset::UTC);
        let at = date.with_time(time).assume_offset(offset).unix_timestamp();
        Millis::try_from(at).ok()?.checked_mul(1_000)
    }

    /// The part of a second.
    pub(super) fn millis(&self) -> Millis {
        self.millis
    }
}
