//! The section `[headers]`.

use super::*;
use crate::http::fields::{FieldOptions, HeaderFormats};
use crate::http::{HeaderFormat, XRateLimitReset};

#[test]
fn each_option_is_read() {
    let text = "[headers]\nsend = [\"x-ratelimit\", \"draft-6\"]\nx_ratelimit_reset = \"epoch\"\n\
                cors_expose = true\nretry_jitter = \"12.5%\"";
    let expected = FieldOptions {
        send: HeaderFormats::new([HeaderFormat::Draft6, HeaderFormat::XRateLimit]).unwrap(),
        x_ratelimit_reset: XRateLimitReset::Epoch,
        cors_expose: true,
        retry_jitter: "12.5%".parse().unwrap(),
    };
    assert_eq!(load_text(text).unwrap().headers, expected);
    let variable = |value| load(&variables(&[("TOLLGATE_HEADERS__SEND", value)])).unwrap().headers;
    assert_eq!(variable("draft-6, x-ratelimit").send, expected.send);
    assert_eq!(
        load_text("headers.send = []").unwrap().headers.send,
        HeaderFormats::new([]).unwrap()
    );
}

#[test]
fn what_is_wrong_is_said() {
    for (text, expected) in [
        (
            "headers.send = [\"draft-11\", \"draft-7\"]",
            "headers.send: draft-11 and draft-7 use the same field names in different ways: expected one of the two",
        ),
        (
            "headers.send = [\"draft-12\"]",
            "headers.send: \"draft-12\" is not a format of header fields: expected draft-11, draft-7, draft-6 or x-ratelimit",
        ),
        (
            "headers.send = \"draft-11\"",
            "headers.send: expected a list of formats, as in [\"draft-11\", \"x-ratelimit\"], got \"draft-11\"",
        ),
        (
            "headers.x_ratelimit_reset = \"unix\"",
            "headers.x_ratelimit_reset: \"unix\" is not a form of X-RateLimit-Reset: expected seconds or epoch",
        ),
        (
            "headers.retry_jitter = \"101%\"",
            "headers.retry_jitter: \"101%\" is not a share: expected 0% to 100%, with at most two decimals, as in \"10%\"",
        ),
        ("headers.retry_jitter = 10", "headers.retry_jitter: expected text in quotes, got 10"),
    ] {
        assert_eq!(error_of_text(text), expected);
    }
}

#[test]
fn the_older_switch_is_refused_with_what_to_write_instead() {
    let on = "headers.legacy: send stands for it now: expected send = [\"draft-11\", \"x-ratelimit\"] instead of this line";
    assert_eq!(error_of_text("headers.legacy = true"), on);
    let off = "headers.legacy: send stands for it now: leave this line out";
    assert_eq!(error_of_text("headers.legacy = false"), off);
    // It is not listed among the options that there are.
    assert!(!error_of_text("headers.x = 1").contains("legacy"));
}
