//! The formats of header fields, and longer waits, through every door.

use tollgate::HeaderFormat::{Draft6, Draft7, Draft11, XRateLimit};
use tollgate::{HeaderFormat, Share, XRateLimitReset};

use super::{Door, Limit, on_each_store, through_each_door};

through_each_door! {
    only_the_formats_that_are_asked_for_are_sent,
    a_longer_wait_is_told_alike_in_all_fields_and_never_shorter,
}

fn only_the_formats_that_are_asked_for_are_sent(door: Door) {
    const FIELDS: [&str; 9] = [
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
    ];
    let (six, x) = ([Some("2"), Some("0"), Some("42")], [Some("2"), Some("0"), Some("42")]);
    let (new, seven) = (
        [Some(r#""default";r=0;t=42"#), Some(r#""default";q=2;w=60"#)],
        [Some("limit=2, remaining=0, reset=42"), Some("2;w=60")],
    );
    let none = [None; 3];
    // (formats, RateLimit and RateLimit-Policy, those of draft 6, X-RateLimit-*)
    let cases: [(&[HeaderFormat], [Option<&str>; 2], _, _); 5] = [
        (&[], [None; 2], none, none),
        (&[Draft11], new, none, none),
        (&[Draft7], seven, none, none),
        (&[Draft7, Draft6], seven, six, none),
        (&[Draft11, Draft6, XRateLimit], new, six, x),
    ];
    on_each_store(|counts| {
        for (formats, of_both, of_six, of_x) in cases {
            let limit = Limit { formats, ..counts.default_of("2/minute") };
            let served = limit.serve(door);
            assert_eq!(served.statuses("/", 2), [200, 200]);
            let seen = served.get("/");
            let [limits, listed] = of_both;
            let expected = [&[limits, listed, Some("42")][..], &of_six, &of_x].concat();
            assert_eq!(seen.status, 429);
            let told = FIELDS.map(|name| seen.header(name));
            assert_eq!(told[..], expected, "{formats:?}");
        }
    });
}

fn a_longer_wait_is_told_alike_in_all_fields_and_never_shorter(door: Door) {
    on_each_store(|counts| {
        let limit = Limit { jitter: Share::ALL, ..counts.default_of("1/hour") };
        let limit = Limit { formats: &[Draft11, Draft6, XRateLimit], ..limit };
        let served = limit.serve(door);
        let passes = served.get("/");
        assert_eq!(passes.header("ratelimit"), Some(r#""default";r=0;t=3582"#), "exact");
        let mut waits = Vec::new();
        for _ in 0..10 {
            let seen = served.get("/");
            let wait = seen.header("retry-after").expect("a wait").to_owned();
            let expected = format!(r#""default";r=0;t={wait}"#);
            assert_eq!(seen.header("ratelimit"), Some(&*expected));
            assert_eq!(seen.header("ratelimit-reset"), Some(&*wait));
            assert_eq!(seen.header("x-ratelimit-reset"), Some(&*wait));
            assert!(seen.body.contains(&format!("Retry in {wait} s.")), "{}", seen.body);
            waits.push(wait.parse::<u64>().expect("a number"));
        }
        assert!(waits.iter().all(|wait| (3_582..=2 * 3_582).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    });
}

#[test]
fn both_middlewares_refuse_formats_of_the_same_names_and_take_the_same_settings() {
    let limiter = || super::Counts::in_memory().default_of("2/minute").limiter;
    let both = [Draft11, Draft7];
    let actix = tollgate::RateLimit::new(limiter()).x_ratelimit_reset(XRateLimitReset::Epoch);
    let tower = tollgate::RateLimitLayer::new(limiter()).x_ratelimit_reset(XRateLimitReset::Epoch);
    let refused = [actix.send_headers(both).err(), tower.send_headers(both).err()];
    assert_eq!(
        refused,
        [
            Some(tollgate::HeaderFormatError::SameNames),
            Some(tollgate::HeaderFormatError::SameNames)
        ]
    );
}
