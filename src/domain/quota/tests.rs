use proptest::prelude::*;

use super::*;

#[test]
fn reads_every_documented_form() {
    for (text, units, window, printed) in [
        ("10/minute", 10, 60_000, "10/minute"),
        ("100 per hour", 100, 3_600_000, "100/hour"),
        ("5/2 seconds", 5, 2_000, "5/2 seconds"),
        ("1000/day", 1000, 86_400_000, "1000/day"),
        ("3/week", 3, 604_800_000, "3/week"),
        // Spaces and letters' case carry no meaning.
        ("  7 / 90   Seconds ", 7, 90_000, "7/90 seconds"),
        ("7 PER 1minute", 7, 60_000, "7/minute"),
        // Units have short names.
        ("10/m", 10, 60_000, "10/minute"),
        ("100/30s", 100, 30_000, "100/30 seconds"),
        ("5/min", 5, 60_000, "5/minute"),
        ("5/2 Mins", 5, 120_000, "5/2 minutes"),
        ("1000/H", 1000, 3_600_000, "1000/hour"),
        ("7 per hr", 7, 3_600_000, "7/hour"),
        ("7/12hrs", 7, 43_200_000, "7/12 hours"),
        ("2/sec", 2, 1_000, "2/second"),
        ("2/90 SECS", 2, 90_000, "2/90 seconds"),
        ("3/d", 3, 86_400_000, "3/day"),
        ("1/w", 1, 604_800_000, "1/week"),
        ("1 / 2w", 1, 1_209_600_000, "1/2 weeks"),
        // A window is printed in the largest unit that divides it.
        ("1/120 seconds", 1, 120_000, "1/2 minutes"),
        ("9007199254740991/second", MAX_EXACT, 1_000, "9007199254740991/second"),
    ] {
        let quota: Quota = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((quota.units(), quota.window()), (units, Window::Fixed(window)), "{text}");
        assert_eq!(quota.to_string(), printed);
        assert_eq!(printed.parse(), Ok(quota), "a printed quota reads back as itself");
    }
}

#[test]
fn refuses_everything_else_with_a_sentence_that_shows_what_is_allowed() {
    for (text, reason) in [
        ("", "expected units per window"),
        ("10", "expected units per window"),
        ("/minute", "expected units per window"),
        ("ten/minute", "expected units per window"),
        ("-1/minute", "expected units per window"),
        ("+1/minute", "expected units per window"),
        ("1e3/minute", "expected units per window"),
        ("NaN/minute", "expected units per window"),
        ("10per minute", "expected units per window"),
        ("0/minute", "at least 1 unit"),
        ("9007199254740992/minute", "at most 9007199254740991 units"),
        ("18446744073709551616/minute", "at most 9007199254740991 units"),
        ("10/", "in seconds, minutes, hours, days or weeks"),
        ("10/fortnight", "in seconds, minutes, hours, days or weeks"),
        ("10/months", "one at a time"),
        ("10/2 months", "one at a time"),
        ("10/3 years", "one at a time"),
        ("10/0 months", "at least 1 second"),
        ("10/minutess", "in seconds, minutes, hours, days or weeks"),
        ("10/minute/minute", "in seconds, minutes, hours, days or weeks"),
        ("10/1.5 seconds", "in seconds, minutes, hours, days or weeks"),
        ("10/0 seconds", "at least 1 second"),
        ("10/53 weeks", "at most 366 days"),
        ("10/18446744073709551615 weeks", "at most 366 days"),
    ] {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        assert!(error.contains(&format!("{text:?}")), "{error}");
        assert!(error.contains(reason), "{error}");
        assert!(error.contains("10/minute"), "{error}");
    }
}

#[test]
fn a_quota_that_is_only_written_otherwise_is_refused_with_what_to_write() {
    for (text, reason, write) in [
        ("0.5/second", "whole number", "1/2 seconds"),
        ("1.5/minute", "whole number", "3/2 minutes"),
        (".25/hour", "whole number", "1/4 hours"),
        ("2.0/d", "whole number", "2/day"),
        ("0.1 per minute", "whole number", "1/10 minutes"),
        ("10_000/day", "digits alone", "10000/day"),
        ("1_0_0/day", "digits alone", "100/day"),
        ("10,000/day", "digits alone", "10000/day"),
        ("1'000'000/w", "digits alone", "1000000/week"),
        ("10 000/day", "digits alone", "10000/day"),
        ("10r/s", "number alone", "10/second"),
        ("10 requests/minute", "number alone", "10/minute"),
        ("10 requests per minute", "number alone", "10/minute"),
        ("10/ms", "whole seconds", "10000/second"),
        ("10/100ms", "whole seconds", "100/second"),
        ("10/1500 milliseconds", "whole seconds", "20/3 seconds"),
    ] {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("{text:?} is not a quota: ")), "{error}");
        assert!(error.contains(reason) && error.ends_with(&format!("write {write:?}")), "{error}");
        assert!(write.parse::<Quota>().is_ok(), "{write}");
    }
    // What is meant by these is not clear.
    for text in ["1,5/second", "10,00/day", "0.0/second", "1.2.3/day", "_1/day", "1.5/month", "1./"]
    {
        let error = text.parse::<Quota>().expect_err(text).to_string();
        assert!(!error.contains("write"), "{error}");
    }
    let error = "0/day".parse::<Quota>().unwrap_err().to_string();
    assert!(error.contains("access.block"), "{error}");
}

#[test]
fn numbers_are_held_to_the_same_bounds_as_text() {
    assert!(Quota::new(10, 60_000).is_ok());
    for (units, window) in [(0, 60_000), (MAX_EXACT + 1, 1_000), (1, 0), (1, 1_500), (1, u64::MAX)]
    {
        assert!(Quota::new(units, window).is_err(), "{units} per {window} ms");
    }
}

#[test]
fn a_cost_is_at_least_one_and_exact() {
    assert_eq!(Cost::new(0), None);
    assert_eq!(Cost::new(1), Some(Cost::ONE));
    assert_eq!(Cost::new(MAX_EXACT).map(Cost::units), Some(MAX_EXACT));
    assert_eq!(Cost::new(MAX_EXACT + 1), None);
    assert_eq!(Cost::new(u64::MAX), None);
}

#[test]
fn the_zone_and_the_first_day_that_are_set_last_hold() {
    use crate::domain::calendar::Weekday::{Sunday, Wednesday};
    let in_both = |quota: &str| {
        let quota: Quota = quota.parse().unwrap();
        let berlin = quota.in_zone("Europe/Berlin".parse().unwrap(), Sunday);
        let tokyo = berlin.in_zone("Asia/Tokyo".parse().unwrap(), Wednesday);
        tokyo.window().calendar().map(Calendar::code)
    };
    for (quota, code) in [
        ("9/day", Some("dAsia/Tokyo")),
        ("9/week", Some("w3Asia/Tokyo")),
        ("9/month", Some("mAsia/Tokyo")),
        ("9/year", Some("yAsia/Tokyo")),
        ("9/2 weeks", None),
    ] {
        assert_eq!(in_both(quota), code, "{quota}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "[ 0-9._,r]{0,22}(/| per )?[ 0-9]{0,4}(m|ms|s|sec|[ 0-9a-z.+-]{0,24})") {
        for text in [text, near] {
            if let Ok(quota) = text.parse::<Quota>() {
                prop_assert_eq!(quota.to_string().parse(), Ok(quota), "{}", text);
            }
        }
    }

    #[test]
    fn every_quota_reads_back_as_printed(units in 1..=MAX_EXACT, seconds in 1..=MAX_WINDOW / 1_000) {
        let quota = Quota::new(units, seconds * 1_000).unwrap();
        prop_assert_eq!(quota.to_string().parse(), Ok(quota));
    }
}
