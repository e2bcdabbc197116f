use super::*;

/// 2024-05-01T12:00:00Z
const NOON: Millis = 1_714_564_800_000;

#[test]
fn a_time_may_be_written_in_many_ways() {
    let mut times = Times::default();
    for text in [
        "01/May/2024:12:00:00 +0000",
        "01/May/2024:14:00:00 +0200",
        "[01/May/2024:05:00:00 -0700]",
        "01/May/2024:17:30:00 +0530",
        "2024-05-01T12:00:00Z",
        "2024-05-01T12:00:00.000Z",
        "2024-05-01T14:00:00+02:00",
        "2024-05-01T14:00:00+0200",
        "2024-05-01 14:00:00 +02",
        "2024/05/01 12:00:00",
        "2024-05-01T12:00:00,000999 UTC",
        "1714564800",
        "1714564800.000",
        "1714564800000",
    ] {
        assert_eq!(times.any(text.as_bytes()), Some(NOON), "{text}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    let mut times = Times::default();
    for text in [
        "",
        "-",
        "[]",
        "noon",
        "2024",
        "31/Feb/2024:12:00:00 +0000",
        "01/May/2024:12:00",
        "01/May/2024:12:00:61 +0000",
        "01/May/2024:25:00:00 +0000",
        "01/May/2024:12:00:00 +9900",
        "01/May/2024:12:00:00 CEST",
        "2024-05-01",
        "2024-05-01T12:00:00.",
        "1969-05-01T12:00:00Z",
        "-1714564800",
    ] {
        // "2024" is a number of seconds.
        let expected = (text == "2024").then_some(2_024_000);
        assert_eq!(times.any(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn an_hour_that_repeats_is_told_by_its_offset() {
    let mut times = Times::default();
    let mut read = |text: &str| times.clf(text.as_bytes()).unwrap();
    let summer = read("27/Oct/2024:02:30:00 +0200");
    let winter = read("27/Oct/2024:02:30:00 +0100");
    assert_eq!(winter - summer, 3_600_000);
    assert_eq!(read("27/Oct/2024:02:30:07 +0200"), summer + 7_000);
}

#[test]
fn a_fraction_is_kept_to_the_millisecond() {
    let mut times = Times::default();
    assert_eq!(times.any(b"2024-05-01T12:00:01.0239Z"), Some(NOON + 1_023));
    assert_eq!(times.any(b"2024-05-01T12:00:59.999999999Z"), Some(NOON + 59_999));
    assert_eq!(times.any(b"1714564800.5"), Some(NOON + 500));
}
