use proptest::prelude::*;

use super::*;
use crate::quota::MAX_EXACT;

fn policy(quota: &str, algorithm: Algorithm) -> Result<Policy, PolicyError> {
    Policy::new("p", quota.parse().expect(quota))?.with_algorithm(algorithm)
}

#[test]
fn a_name_is_short_and_plain() {
    let quota: Quota = "1/second".parse().unwrap();
    for name in ["default", "a", "per-user_v1.2", "0", &"x".repeat(MAX_NAME)] {
        assert_eq!(Policy::new(name, quota).unwrap().name(), name);
    }
    for name in ["", "a b", "a:b", "a{b}", "\"", "é", "a/b", "a\n", &"x".repeat(MAX_NAME + 1)] {
        let error = Policy::new(name, quota).unwrap_err().to_string();
        assert!(error.contains("ASCII letters, digits"), "{error}");
    }
}

#[test]
fn a_quota_that_could_not_be_counted_exactly_is_refused_with_the_largest_that_fits() {
    for (quota, algorithm, largest) in [
        ("1000000000/day", Algorithm::SlidingWindow, MAX_EXACT / 86_400_000),
        ("200000/day", Algorithm::SlidingLog, 100_000),
        ("1/day", Algorithm::TokenBucket { burst: MAX_EXACT }, MAX_EXACT / 86_400_000),
    ] {
        let error = policy(quota, algorithm).unwrap_err();
        assert!(error.to_string().ends_with(&format!("at most {largest} fit")), "{error}");
    }
    assert!(policy("9007199254740991/day", Algorithm::FixedWindow).is_ok());
    let largest = MAX_EXACT / 86_400_000;
    assert!(policy(&format!("{largest}/day"), Algorithm::SlidingWindow).is_ok());
    assert!(policy(&format!("{}/day", largest + 1), Algorithm::SlidingWindow).is_err());
    assert_eq!(policy("1/day", Algorithm::TokenBucket { burst: 0 }), Err(PolicyError::NoBurst));
}

#[test]
fn keys_read_back_as_printed() {
    for text in ["ip", "user", "user-or-ip", "global", "header:x-tenant"] {
        assert_eq!(text.parse::<KeySource>().unwrap().to_string(), text);
    }
    assert_eq!("header:X-Tenant".parse(), Ok(KeySource::Header("x-tenant".into())));
    for text in ["", "IP", "ip ", "header", "header:", "header:a b", "header:é", "cookie:x"] {
        assert_eq!(text.parse::<KeySource>(), Err(PolicyError::Key(text.to_owned())));
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in any::<String>(), near in "(header:|user|ip)?[ -~]{0,12}") {
        for text in [text, near] {
            if let Ok(key) = text.parse::<KeySource>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
            let _ = text.parse::<OnStoreFailure>();
            let _ = Algorithm::named(&text, "1/second".parse().unwrap());
            let _ = Policy::new(&text, "1/second".parse().unwrap());
        }
    }
}
