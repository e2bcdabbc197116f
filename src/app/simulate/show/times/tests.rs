use super::{DAY, TimeForm, YEAR};
use crate::domain::clock::Millis;

/// 2026-11-26 10:00:05.
const AT: Millis = 1_795_687_205_000;

#[test]
fn a_time_is_in_utc() {
    for (form, text) in [
        (TimeForm::Full, "2026-11-26 10:00:05"),
        (TimeForm::Day, "2026-11-26"),
        (TimeForm::DayOfYear, "11-26"),
        (TimeForm::DayAndMinute, "11-26 10:00"),
        (TimeForm::Second, "10:00:05"),
        (TimeForm::Minute, "10:00"),
    ] {
        assert_eq!(form.of(AT), text);
    }
    assert_eq!(TimeForm::Full.of(0), "1970-01-01 00:00:00");
    assert_eq!(TimeForm::Full.of(u64::MAX), "18446744073709551615 ms");
}

#[test]
fn times_of_one_day_need_no_date() {
    assert_eq!(TimeForm::between(AT, AT + 3_600_000), TimeForm::Second);
    assert_eq!(TimeForm::between(AT, AT + DAY), TimeForm::DayAndMinute);
    assert_eq!(TimeForm::between(AT, AT + YEAR), TimeForm::Day);
    assert_eq!(TimeForm::between(u64::MAX, 0), TimeForm::DayAndMinute);
}
