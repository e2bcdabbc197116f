//! The formats besides draft 11, and longer waits.

use super::HeaderFormat::{Draft6, Draft7, Draft11, XRateLimit};
use super::*;

/// A minute that is half used up, and a day of which less remains.
fn two() -> Decision {
    decision(
        true,
        [
            (policy("minute", "10/minute"), 5, 2_001, Retry::Now),
            (bucket("day", "1000/day", 2_000), 4, 80_000_000, Retry::Now),
        ],
    )
}

#[test]
fn each_format_has_its_own_fields_and_nothing_else() {
    let draft_11 = [
        ("ratelimit-policy", r#""minute";q=10;w=60, "day";q=1000;w=86400;tollgate-burst=2000"#),
        ("ratelimit", r#""minute";r=5;t=3, "day";r=4;t=80000"#),
    ];
    let draft_7 = [
        ("ratelimit-policy", "10;w=60, 1000;w=86400"),
        ("ratelimit", "limit=1000, remaining=4, reset=80000"),
    ];
    let draft_6 =
        [("ratelimit-limit", "1000"), ("ratelimit-remaining", "4"), ("ratelimit-reset", "80000")];
    let x = [
        ("x-ratelimit-limit", "1000"),
        ("x-ratelimit-remaining", "4"),
        ("x-ratelimit-reset", "80000"),
    ];
    for (formats, expected) in [
        (&[][..], vec![]),
        (&[Draft11], draft_11.to_vec()),
        (&[Draft7], draft_7.to_vec()),
        (&[Draft6], draft_6.to_vec()),
        (&[XRateLimit], x.to_vec()),
        (&[Draft11, Draft6, XRateLimit], [&draft_11[..], &draft_6, &x].concat()),
        (&[Draft7, Draft6, XRateLimit], [&draft_7[..], &draft_6, &x].concat()),
    ] {
        // Twice: the second time the policies are cached, in either syntax.
        for _ in 0..2 {
            assert_fields(&two(), sending(formats), &expected);
        }
    }
}

#[test]
fn a_window_by_the_calendar_has_no_length_and_ends_when_it_is_said_to() {
    let wait = Retry::After(2_500_001);
    let monthly = (policy("monthly", "10/month"), 0, 2_500_001, wait);
    let draft_11 =
        [("ratelimit-policy", r#""monthly";q=10"#), ("ratelimit", r#""monthly";r=0;t=2501"#)];
    let x = [
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "2501"),
    ];
    let alone = decision(false, [monthly.clone()]);
    assert_fields(&alone, sending(&[Draft11, XRateLimit]), &[&draft_11[..], &x].concat());
    // In draft 7 a quota has a window or is not told. Where it stands is told nevertheless.
    let draft_7 = ("ratelimit", "limit=10, remaining=0, reset=2501");
    assert_fields(&alone, sending(&[Draft7]), &[draft_7]);
    let beside = decision(false, [monthly, (policy("minute", "10/minute"), 5, 1, Retry::Now)]);
    let told = [("ratelimit-policy", "10;w=60"), draft_7];
    assert_fields(&beside, sending(&[Draft7]), &told);
}

#[test]
fn the_policies_of_a_route_are_told_in_the_syntax_of_the_format_whichever_was_told_before() {
    let decision = two();
    for _ in 0..2 {
        for (format, expected) in [(Draft7, "10;w=60, "), (Draft11, r#""minute";q=10;w=60, "#)] {
            let told = &fields(&decision, sending(&[format]))["ratelimit-policy"][0];
            assert!(told.starts_with(expected), "{told}");
        }
    }
}

#[test]
fn a_denial_tells_of_the_policy_that_denies_whatever_remains() {
    let denied = decision(
        false,
        [
            (policy("minute", "10/minute"), 1, 2_000, Retry::Now),
            (policy("day", "1000/day"), 3, 9_000, Retry::After(3_500)),
        ],
    );
    let dictionary = "limit=1000, remaining=3, reset=4";
    let expected = [("ratelimit-policy", "10;w=60, 1000;w=86400"), ("ratelimit", dictionary)];
    assert_fields(&denied, sending(&[Draft7]), &expected);
    let told = fields(&denied, sending(&[Draft6]));
    assert_eq!(told["ratelimit-reset"], ["4"]);
}

#[test]
fn of_two_limits_the_closest_to_denying_is_told_in_each_format_of_one_policy() {
    let of = |remaining| {
        decision(true, [(policy("default", "10/minute"), remaining, 60_000, Retry::Now)])
    };
    for (inner, outer, expected) in [(7, 4, 4), (4, 7, 4), (4, 4, 4)] {
        let mut response = PlainFields::default();
        for remaining in [inner, outer] {
            write(&mut response, &of(remaining), sending(&[Draft7, Draft6, XRateLimit]));
        }
        let told = lines(response);
        assert_eq!(told["ratelimit"], [format!("limit=10, remaining={expected}, reset=60")]);
        assert_eq!(told["ratelimit-remaining"], [expected.to_string()]);
        assert_eq!(told["x-ratelimit-remaining"], [expected.to_string()]);
        assert_eq!(told["ratelimit-policy"].len(), 2, "both are listed");
    }
}

#[test]
fn an_epoch_is_that_of_the_moment_of_the_answer() {
    let options = FieldOptions {
        x_ratelimit_reset: XRateLimitReset::Epoch,
        ..sending(&[Draft6, XRateLimit])
    };
    let decision = decision(false, [(policy("day", "10/day"), 0, 9, Retry::After(3_600_000))]);
    let before = SystemClock.now();
    let told = fields(&decision, options);
    let after = SystemClock.now();
    let reset: u64 = told["x-ratelimit-reset"][0].parse().unwrap();
    let at = |now: Millis| (now + 3_600_000).div_ceil(1_000);
    assert!((at(before)..=at(after)).contains(&reset), "{reset}");
    assert_eq!(told["ratelimit-reset"], ["3600"], "draft 6 has no such form");
}

#[test]
fn a_longer_wait_is_longer_in_every_format_and_only_in_denials() {
    let every = sending(&[Draft11, Draft6, XRateLimit]);
    let options = FieldOptions { retry_jitter: Share::ALL, ..every };
    let waits = [
        (policy("minute", "10/minute"), 0, 60_000, Retry::After(60_000)),
        (policy("hour", "10/hour"), 0, 3_600_000, Retry::After(3_600_000)),
    ];
    let mut seen = Vec::new();
    for _ in 0..20 {
        let stretch = options.stretch();
        let mut response = PlainFields::default();
        let denied = decision(false, waits.clone());
        write_stretched(&mut response, &denied, options, stretch);
        write_retry_after(&mut response, stretch.of_duration(denied.retry_after().unwrap()));
        let told = lines(response);
        let wait: u64 = told["retry-after"][0].parse().unwrap();
        assert!((3_600..=7_200).contains(&wait), "{wait}");
        let minute = seconds_up(stretch.of(60_000));
        let expected = format!(r#""minute";r=0;t={minute}, "hour";r=0;t={wait}"#);
        assert_eq!(told["ratelimit"], [expected]);
        // Of two policies that are closest alike, the older fields tell of the first.
        assert_eq!(told["ratelimit-reset"], [minute.to_string()]);
        assert_eq!(told["x-ratelimit-reset"], [minute.to_string()]);
        seen.push(wait);
    }
    seen.sort_unstable();
    seen.dedup();
    assert!(seen.len() > 5, "each has a wait of its own: {seen:?}");

    let passes = decision(true, waits);
    let every = FieldOptions { retry_jitter: Share::NONE, ..options };
    assert_eq!(fields(&passes, options), fields(&passes, every));
}

#[test]
fn requests_under_way_are_told_in_draft_11_alone() {
    let at_once = policy("busy", "3/minute").with_algorithm(Algorithm::InFlight).unwrap();
    let busy = || (at_once.clone(), 0, 0, Retry::WhenFreed);
    let told = [
        ("ratelimit-policy", r#""busy";q=3;qu="concurrent-requests""#),
        ("ratelimit", r#""busy";r=0"#),
    ];
    let alone = decision(false, [busy()]);
    assert_fields(&alone, sending(&[Draft11, Draft6, XRateLimit]), &told);
    assert_fields(&alone, sending(&[Draft7, Draft6, XRateLimit]), &[]);
    let beside = decision(false, [(policy("minute", "10/minute"), 5, 2_000, Retry::Now), busy()]);
    let told = [
        ("ratelimit-policy", "10;w=60"),
        ("ratelimit", "limit=10, remaining=5, reset=2"),
        ("x-ratelimit-limit", "10"),
        ("x-ratelimit-remaining", "5"),
        ("x-ratelimit-reset", "2"),
    ];
    assert_fields(&beside, sending(&[Draft7, XRateLimit]), &told);
}

#[test]
fn a_field_that_is_exposed_already_is_not_named_again() {
    let exposed = ["ETag, ratelimit", "Retry-After"];
    let mut response = PlainFields::default();
    for line in exposed {
        let line = Bytes::from_static(line.as_bytes());
        response.append(ResponseField::AccessControlExposeHeaders, line);
    }
    let options = FieldOptions { cors_expose: true, ..draft() };
    // The second limit finds all that the first one exposes.
    for _ in 0..2 {
        write(&mut response, &two(), options);
    }
    let fields = lines(response);
    let expected = [exposed[0], exposed[1], "RateLimit-Policy"];
    assert_eq!(fields["access-control-expose-headers"], expected);
}
