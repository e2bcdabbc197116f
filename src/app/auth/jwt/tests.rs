use super::key::KeyError;
use super::key_set::{JwksSource, KeySet};
use super::verifier::text_of;
use super::*;
use crate::app::auth::Secret;

const RSA: &[u8] = include_bytes!("../../../../tests/it/auth/keys/rsa-public.test.pem");
const SHORT_RSA: &[u8] = include_bytes!("../../../../tests/it/auth/keys/rsa-1024-public.test.pem");
const RSA_PRIVATE: &[u8] = include_bytes!("../../../../tests/it/auth/keys/rsa-private.test.pem");
const P256: &[u8] = include_bytes!("../../../../tests/it/auth/keys/p256-public.test.pem");
const P384: &[u8] = include_bytes!("../../../../tests/it/auth/keys/p384-public.test.pem");
const ED25519: &[u8] = include_bytes!("../../../../tests/it/auth/keys/ed25519-public.test.pem");

fn rules(algorithms: &[&str]) -> JwtRules {
    let algorithms = algorithms.iter().map(|name| name.parse().unwrap()).collect();
    JwtRules { algorithms, ..JwtRules::default() }
}

/// What is wrong with a key for these algorithms, in words; nothing where it is right.
fn fault(key: &[u8], algorithms: &[&str]) -> String {
    let checked = check_keys(&JwtKeys::Only(Secret::new(key)), &rules(algorithms));
    checked.err().map_or(String::new(), |error| error.to_string())
}

#[test]
fn a_key_serves_its_own_algorithms_and_no_other() {
    let secret = [b'k'; 64];
    let keys: [(&[u8], &[&str]); 5] = [
        (&secret, &["HS256", "HS384", "HS512"]),
        (RSA, &["RS256", "RS384", "RS512"]),
        (P256, &["ES256"]),
        (P384, &["ES384"]),
        (ED25519, &["EdDSA"]),
    ];
    for (key, own) in keys {
        assert_eq!(fault(key, own), "", "{own:?}");
        for other in ["HS256", "HS384", "HS512", "RS256", "RS512", "ES256", "ES384", "EdDSA"] {
            let expected = if own.contains(&other) { "" } else { "does not serve" };
            let fault = fault(key, &[other]);
            assert_eq!(fault.is_empty(), expected.is_empty(), "{own:?} for {other}: {fault}");
            assert!(fault.contains(expected), "{own:?} for {other}: {fault}");
        }
    }
}

#[test]
fn keys_that_are_none_say_so_and_nothing_of_themselves() {
    let short = b"hunter2";
    let cases: [(&[u8], &str, &str); 8] = [
        (b"\n{\"keys\":[{\"kid\":\"hunter2-hunter2\"}]}", "HS256", "is JSON"),
        (RSA_PRIVATE, "RS256", "holds a private key"),
        (SHORT_RSA, "RS256", "2048 bits"),
        (
            b"-----BEGIN PUBLIC KEY-----\nhunter2\n-----END PUBLIC KEY-----",
            "RS256",
            "no public key",
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----",
            "RS256",
            "no public key",
        ),
        (short, "HS256", "is too short: a secret for HS256 must have 32 bytes or more"),
        (&[b'k'; 47], "HS384", "must have 48 bytes"),
        (&[b'k'; 63], "HS512", "must have 64 bytes"),
    ];
    for (key, algorithm, expected) in cases {
        let fault = fault(key, &[algorithm]);
        assert!(fault.contains(expected), "{fault}");
        assert!(!fault.contains("hunter2"), "{fault}");
    }
    // A line's end is not a part of the secret.
    assert!(fault(&[&[b'k'; 31][..], b"\n"].concat(), &["HS256"]).contains("too short"));
    assert_eq!(fault(&[&[b'k'; 32][..], b"\r\n"].concat(), &["HS256"]), "");
}

/// What is wrong with a JWK Set of these keys.
fn set_fault(keys: &str, source: JwksSource) -> Option<KeyError> {
    let rules = rules(&["HS256", "ES256"]);
    KeySet::parse(format!(r#"{{"keys":[{keys}]}}"#).as_bytes(), source, &rules).err()
}

#[test]
fn of_a_set_only_the_keys_are_taken_that_are_meant_for_this() {
    let point = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;
    let good = format!(r#"{{"kid":"1",{point}}}"#);
    let secret = r#"{"kid":"2","kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    for source in [JwksSource::File, JwksSource::Url] {
        assert_eq!(set_fault(&good, source), None);
        // One that nobody understands hides no other.
        let odd = r#"{"kid":"9","kty":"PQC","x":7},5,null,{},"text""#;
        assert_eq!(set_fault(&format!("{odd},{good}"), source), None);
        for useless in [
            format!("{{{point}}}"),
            format!(r#"{{"kid":"1","use":"enc",{point}}}"#),
            format!(r#"{{"kid":"1","key_ops":["sign"],{point}}}"#),
            format!(r#"{{"kid":"1","alg":"HS256",{point}}}"#),
            format!(r#"{{"kid":"1","alg":"RSA-OAEP",{point}}}"#),
            format!(r#"{{"kid":"1",{}}}"#, point.replace("P-256", "P-384")),
            r#"{"kid":"1","kty":"oct","k":"c2hvcnQ"}"#.to_owned(),
            String::new(),
        ] {
            assert_eq!(set_fault(&useless, source), Some(KeyError::NoKeyOfSet), "{useless}");
        }
    }
    // What everyone can fetch is no secret.
    assert_eq!(set_fault(secret, JwksSource::File), None);
    assert_eq!(set_fault(secret, JwksSource::Url), Some(KeyError::NoKeyOfSet));
    for text in ["", "{}", "[]", "null", "{\"keys\":{}}", "<html>"] {
        let parsed = KeySet::parse(text.as_bytes(), JwksSource::Url, &rules(&["ES256"]));
        assert_eq!(parsed.err(), Some(KeyError::NotASet), "{text}");
    }
}

#[test]
fn a_rule_for_tokens_has_the_name_that_it_is_read_by() {
    for name in ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "EdDSA"] {
        assert_eq!(name.parse::<JwtAlgorithm>().map(|it| it.to_string()), Ok(name.to_owned()));
    }
    for name in ["none", "None", "", "hs256", "HS256 ", "PS256", "ES512"] {
        assert_eq!(name.parse::<JwtAlgorithm>(), Err(JwtAlgorithmError), "{name}");
    }
}

#[test]
fn a_claim_counts_as_a_text_and_what_may_be_rounded_as_none() {
    for (json, expected) in [
        (r#""acme""#, Some("acme")),
        (r#""""#, Some("")),
        ("7", Some("7")),
        ("-7", Some("-7")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("1.5", Some("1.5")),
        ("true", Some("true")),
        ("false", Some("false")),
        // Read as floats, which are equal to their neighbours.
        ("18446744073709551616", None),
        ("1e300", None),
        ("-1e17", None),
        ("null", None),
        (r#"["acme"]"#, None),
        (r#"{"id":7}"#, None),
    ] {
        let claim = serde_json::from_str(json).unwrap();
        assert_eq!(text_of(&claim).as_deref(), expected, "{json}");
    }
}
