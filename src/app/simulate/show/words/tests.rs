use super::{brief, count, counted, duration, file, listed, plain, share, short};

#[test]
fn thousands_are_apart() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (98_310, "98,310"),
        (1_234_567, "1,234,567"),
        (u64::MAX, "18,446,744,073,709,551,615"),
    ] {
        assert_eq!(count(number), text);
    }
    assert_eq!(counted(1, "request"), "1 request");
    assert_eq!(counted(0, "request"), "0 requests");
    assert_eq!(counted(2_000, "client"), "2,000 clients");
}

#[test]
fn a_scale_has_few_letters() {
    for (number, text) in [
        (0, "0"),
        (500_000, "500,000"),
        (2_000_000, "2 M"),
        (50_000_000_000, "50 G"),
        (u64::MAX, "18 E"),
    ] {
        assert_eq!(short(number), text);
    }
}

#[test]
fn a_share_is_neither_nothing_nor_all_unless_it_is() {
    for (part, whole, text) in [
        (0, 0, "0.00 %"),
        (0, 7, "0.00 %"),
        (7, 7, "100.00 %"),
        (1_204, 98_310, "1.22 %"),
        (1, 3, "33.33 %"),
        (2, 3, "66.67 %"),
        (1, 1_000_000, "< 0.01 %"),
        (999_999, 1_000_000, "> 99.99 %"),
        (u64::MAX, u64::MAX, "100.00 %"),
        (u64::MAX - 1, u64::MAX, "> 99.99 %"),
    ] {
        assert_eq!(share(part, whole), text, "{part} of {whole}");
    }
}

#[test]
fn a_length_of_time_has_two_units() {
    for (millis, text) in [
        (0, "0 s"),
        (350, "350 ms"),
        (1_999, "1 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (61_000, "1 min 1 s"),
        (4_800_000, "1 h 20 min"),
        (7_200_000, "2 h"),
        (86_400_000, "1 day"),
        (3 * 86_400_000 + 4 * 3_600_000, "3 days 4 h"),
        (u64::MAX, "213,503,982,334 days 14 h"),
    ] {
        assert_eq!(duration(millis), text);
    }
}

#[test]
fn a_name_cannot_move_the_cursor() {
    assert_eq!(plain("ip:203.0.113.7"), "ip:203.0.113.7");
    assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
    assert_eq!(plain("user:\u{202e}gpj.exe"), "user:\\u{202e}gpj.exe");
    assert_eq!(plain("häßlich 界"), "häßlich 界");
}

#[test]
fn of_many_files_a_few_are_named() {
    let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned);
    assert_eq!(listed(&names[..0]), "");
    assert_eq!(listed(&names[..4]), "a, b, c, d");
    assert_eq!(listed(&names), "a, b, c, d and 2 more");
    assert_eq!(file("-"), "standard input");
}

#[test]
fn of_a_very_long_name_the_beginning_is_enough() {
    assert_eq!(brief("user:1\n"), "user:1\\u{a}");
    assert_eq!(brief(&"ß".repeat(300)), "ß".repeat(300));
    let long = brief(&"x".repeat(100_000));
    assert_eq!(long.chars().count(), 301);
    assert!(long.ends_with("x…"));
}
