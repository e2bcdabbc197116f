//! Where the windows of a policy begin and end by the calendar.

use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::calendar::{CalendarUnit, Weekday, Zone};
use crate::domain::policy::Policy;

/// The options of a policy that say so.
pub(super) struct TimezoneOptions {
    timezone: Option<(Leaf, Option<Zone>)>,
    week_begins: Option<(Leaf, Option<Weekday>)>,
}

impl TimezoneOptions {
    pub(super) fn of(section: &mut Section) -> Self {
        let timezone = section.take("timezone").map(|leaf| {
            let zone = section.note(leaf.parse("a time zone, as in \"Europe/Berlin\"", str::parse));
            (leaf, zone)
        });
        let week_begins = section.take("week_begins").map(|leaf| {
            let day = section.note(leaf.parse("a day of the week, as in \"monday\"", str::parse));
            (leaf, day)
        });
        Self { timezone, week_begins }
    }

    /// `policy` with these options. Those that it refuses, or that change nothing, become errors of `section`.
    pub(super) fn add_to(self, policy: Policy, section: &mut Section) -> Policy {
        let mut refuse = |leaf: &Leaf, message: &str| {
            section.note::<()>(Err(leaf.refuse(message)));
        };
        let Some((leaf, zone)) = self.timezone else {
            if let Some((leaf, _)) = self.week_begins {
                let message = "a week begins on a day of the calendar only with a timezone, as in \
                               timezone = \"Europe/Berlin\"";
                refuse(&leaf, message);
            }
            return policy;
        };
        let day = self.week_begins.as_ref().and_then(|(_, day)| *day).unwrap_or_default();
        let Some(zone) = zone else { return policy };
        let local = match policy.clone().with_timezone(zone, day) {
            Ok(local) => local,
            Err(error) => {
                refuse(&leaf, &error.to_string());
                return policy;
            }
        };
        let has = |is_meant: fn(CalendarUnit) -> bool| {
            let calendars = local.all_quotas().filter_map(|quota| quota.window().calendar());
            calendars.map(|calendar| calendar.unit()).any(is_meant)
        };
        if !has(|_| true) {
            let message = "no quota of this policy is for a day, a week, a month or a year: expected one, as in \
                           \"1000/day\"";
            refuse(&leaf, message);
        }
        if let Some((leaf, _)) =
            self.week_begins.filter(|_| !has(|unit| matches!(unit, CalendarUnit::Week(_))))
        {
            refuse(
                &leaf,
                "no quota of this policy is for a week: expected one, as in \"1000/week\"",
            );
        }
        local
    }
}
