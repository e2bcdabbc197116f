//! Windows by the calendar.

use super::*;
use crate::domain::calendar::Calendar;

fn calendar(config: &Config) -> Calendar {
    config.policies[0].quota().window().calendar().expect("a calendar")
}

#[test]
fn a_month_is_of_utc_and_of_a_time_zone_if_one_is_set() {
    for (more, zone, unit) in [
        ("quota = \"9/month\"", "UTC", "month"),
        ("quota = \"9/month\"\ntimezone = \"Europe/Berlin\"", "Europe/Berlin", "month"),
        ("quota = \"9/year\"\ntimezone = \"asia/kolkata\"", "Asia/Kolkata", "year"),
        ("quota = \"9/day\"\ntimezone = \"UTC\"", "UTC", "day"),
        ("quota = \"9/24 hours\"\ntimezone = \"UTC\"", "UTC", "day"),
    ] {
        let config = load_text(&format!("[policies.default]\n{more}")).expect(more);
        let calendar = calendar(&config);
        assert_eq!((calendar.zone().name(), calendar.unit().name()), (zone, unit), "{more}");
    }
    let fixed = load_text("[policies.default]\nquota = \"9/day\"").expect("a configuration");
    assert_eq!(fixed.policies[0].quota().window().calendar(), None);
}

#[test]
fn a_week_begins_on_monday_or_as_is_said() {
    for (more, code) in [("", "w1UTC"), ("week_begins = \"sunday\"", "w7UTC")] {
        let text = format!("[policies.default]\nquota = \"9/week\"\ntimezone = \"UTC\"\n{more}");
        assert_eq!(calendar(&load_text(&text).expect(more)).code(), code);
    }
}

#[test]
fn quotas_of_plans_and_candidates_are_of_the_same_time_zone() {
    let config = load_text(
        "[policies.default]\nquota = \"9/minute; 90/month\"\ntimezone = \"Europe/Berlin\"\n\
         candidate = \"7/day; 1/minute\"\nplans = { pro = \"8/month\", free = \"unlimited\" }\n\
         users = { ann = \"8/week; 3/day\" }\nnetworks = { \"192.0.2.0/24\" = \"6/year\" }",
    )
    .expect("a configuration");
    let quotas: Vec<_> = config.policies[0].all_quotas().collect();
    let calendars = quotas.iter().filter_map(|quota| quota.window().calendar());
    let codes: Vec<_> = calendars.map(Calendar::code).collect();
    let units = ["m", "m", "w1", "d", "y", "d"];
    assert_eq!(codes, units.map(|unit| format!("{unit}Europe/Berlin")));
}

#[test]
fn options_that_change_nothing_or_that_nothing_can_count_are_refused() {
    for (text, error) in [
        (
            "timezone = \"Berlin\"",
            "policies.default.timezone: \"Berlin\" is not a time zone: expected a name of the IANA database, as in \"Europe/Berlin\" or \"UTC\"",
        ),
        (
            "timezone = \"UTC\"",
            "policies.default.timezone: no quota of this policy is for a day, a week, a month or a year: expected one, as in \"1000/day\"",
        ),
        (
            "week_begins = \"sunday\"\nquota = \"9/week\"",
            "policies.default.week_begins: a week begins on a day of the calendar only with a timezone, as in timezone = \"Europe/Berlin\"",
        ),
        (
            "week_begins = \"sunday\"\ntimezone = \"UTC\"\nquota = \"9/day\"",
            "policies.default.week_begins: no quota of this policy is for a week: expected one, as in \"1000/week\"",
        ),
        (
            "week_begins = \"1\"\ntimezone = \"UTC\"\nquota = \"9/week\"",
            "policies.default.week_begins: \"1\" is not a day of the week: expected one as in \"monday\" or \"sunday\"",
        ),
        (
            "quota = \"9/month\"\nalgorithm = \"token-bucket\"",
            "policies.default.quota: only a fixed-window can count in a month by the calendar, and this is a token-bucket: \"9/30 days\" has one length",
        ),
        (
            "quota = \"9/day\"\nalgorithm = \"sliding-log\"\ntimezone = \"UTC\"",
            "policies.default.timezone: only a fixed-window can count in a day by the calendar, and this is a sliding-log: without a time zone it has one length",
        ),
    ] {
        let errors = load_text(&format!("[policies.default]\n{text}")).expect_err(text).to_string();
        assert!(errors.lines().any(|line| line.starts_with(error)), "{text}: {errors}");
    }
}
