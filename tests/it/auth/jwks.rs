use std::fs;

use jsonwebtoken::Algorithm::{self, ES256, ES384, EdDSA, HS256, RS256, RS384};

use super::signer::{SECRET, base64url, jwks, path, token, token_of};
use super::*;
use crate::support::jwks::{HOLD, JwksServer};
use crate::support::threads::until;

/// Fetches again a tenth of a second after the last fetch where it may, and not at all otherwise.
fn options_of(server: &JwksServer) -> Options {
    options("memory:")
        .set("policies.default.quota", "1000000/52 weeks")
        .set("auth.jwt.jwks_url", &server.url())
        .set("auth.jwt.algorithms", "RS256,RS384,ES256,ES384,EdDSA,HS256")
        .set("auth.jwt.audience", "api")
        .set("auth.jwt.jwks_refresh_ms", "86400000")
        .set("auth.jwt.jwks_cooldown_ms", "100")
        // A busy machine is no dead server.
        .set("auth.jwt.jwks_timeout_ms", "10000")
}

fn right(kid: &str, algorithm: Algorithm) -> String {
    token_of(kid, algorithm, &json!({}))
}

#[test]
fn a_token_is_verified_by_the_key_that_it_names_and_by_no_other() {
    let set = jwks(&[("r", RS256), ("e", ES256), ("d", EdDSA), ("same", ES256), ("same", ES384)]);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("jwks.json");
    fs::write(&file, &set).expect("a file of keys");
    let server = JwksServer::start(&set);
    let from_file = options("memory:")
        .set("auth.jwt.jwks_file", file.to_str().expect("a path of text"))
        .set("auth.jwt.algorithms", "RS256,RS384,ES256,ES384,EdDSA,HS256")
        .set("auth.jwt.audience", "api");
    for options in [from_file, options_of(&server)] {
        let tollgate = options.set("policies.default.quota", "1000000/52 weeks").serve();
        for (kid, algorithm) in
            [("r", RS256), ("e", ES256), ("d", EdDSA), ("same", ES256), ("same", ES384)]
        {
            assert_eq!(
                bearer(&tollgate, &right(kid, algorithm)).status,
                200,
                "{kid} {algorithm:?}"
            );
        }
        for algorithm in [RS256, ES256, EdDSA, HS256] {
            assert_refused(&bearer(&tollgate, &token(algorithm, &json!({}))), "it names no key");
        }
        for (kid, algorithm) in [
            ("e", RS256),
            ("r", ES256),
            ("d", ES384),
            // The set says that it is for RS256.
            ("r", RS384),
            ("r", HS256),
            ("R", RS256),
            ("", RS256),
            ("../r", RS256),
            ("r\u{0}", RS256),
        ] {
            assert_refused(
                &bearer(&tollgate, &right(kid, algorithm)),
                &format!("{kid} {algorithm:?}"),
            );
        }
    }
}

#[test]
fn made_up_names_of_keys_make_nothing_fetch_without_bound() {
    let server = JwksServer::start(&jwks(&[("1", ES256)]));
    let tollgate = options_of(&server).set("auth.jwt.jwks_cooldown_ms", "3600000").serve();
    for number in 0..300 {
        assert_refused(&bearer(&tollgate, &right(&format!("no {number}"), ES256)), "no such key");
    }
    assert_eq!(bearer(&tollgate, &right("1", ES256)).status, 200);
    assert_eq!(server.fetches(), 1);
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it() {
    let server = JwksServer::start(&jwks(&[("1", ES256)]));
    let tollgate = options_of(&server).serve();
    let (old, new) = (right("1", ES256), right("2", ES256));
    assert_eq!(bearer(&tollgate, &old).status, 200);
    server.set(&jwks(&[("2", ES256)]));
    assert_refused(&bearer(&tollgate, &new), "not known yet");
    until("the new key is taken", || bearer(&tollgate, &new).status == 200);
    // A request that was under way meanwhile may have asked once more.
    assert!(server.fetches() <= 3, "{}", server.fetches());
    assert_refused(&bearer(&tollgate, &old), "the old key is withdrawn");
}

#[test]
fn a_new_key_is_known_after_a_while_without_anyone_asking() {
    let server = JwksServer::start(&jwks(&[("1", ES256)]));
    let tollgate = options_of(&server).set("auth.jwt.jwks_refresh_ms", "100").serve();
    server.set(&jwks(&[("2", ES256)]));
    server.wait_for_a_fetch();
    assert_eq!(bearer(&tollgate, &right("2", ES256)).status, 200);
}

#[test]
fn the_last_good_keys_stay_in_force_whatever_the_server_answers() {
    let set = jwks(&[("1", ES256)]);
    let server = JwksServer::start(&set);
    let options = options_of(&server).set("auth.jwt.jwks_refresh_ms", "100");
    let mut tollgate = options.set("auth.jwt.jwks_timeout_ms", "1000").serve();
    let secret = json!({ "keys": [{ "kid": "1", "kty": "oct", "k": base64url(SECRET) }] });
    let with_body = |head: &str, body: &str| {
        format!(
            "HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let elsewhere = JwksServer::start(&jwks(&[("2", ES256)]));
    let moved = format!("302 Found\r\nlocation: {}", elsewhere.url());
    let huge = format!("{}{}", " ".repeat(300_000), jwks(&[("2", ES256)]));
    for answer in [
        HOLD.to_owned(),
        String::new(),
        "nonsense".to_owned(),
        with_body("500 Oops", &jwks(&[("2", ES256)])),
        with_body("404 Not Found", "{}"),
        with_body("200 OK", "<html>"),
        with_body("200 OK", "{}"),
        with_body("200 OK", "{\"keys\":[]}"),
        with_body("200 OK", &jwks(&[("2", ES256)])[..40]),
        with_body("200 OK", &huge),
        with_body("200 OK", &secret.to_string()),
        with_body(&moved, ""),
        // It says that more is coming, and closes.
        "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{\"keys\":[".to_owned(),
    ] {
        server.set_raw(answer.as_bytes());
        server.wait_for_a_fetch();
        let shown: String = answer.chars().take(60).collect();
        assert_eq!(bearer(&tollgate, &right("1", ES256)).status, 200, "{shown}");
        assert_refused(&bearer(&tollgate, &right("2", ES256)), &shown);
        assert_refused(&bearer(&tollgate, &right("1", HS256)), &shown);
    }
    assert_eq!(elsewhere.fetches(), 0, "it goes nowhere else");
    tollgate.wait_for_line("the keys of the last fetch stay in force");
    let told = |line: &&String| line.contains("could not be fetched");
    assert_eq!(tollgate.stderr().iter().filter(told).count(), 1, "{:?}", tollgate.stderr());
    server.set(&jwks(&[("2", ES256)]));
    tollgate.wait_for_line("The JWK Set is fetched again.");
    assert_eq!(bearer(&tollgate, &right("2", ES256)).status, 200);
}

#[test]
fn until_there_are_keys_tokens_are_503_and_no_failures() {
    let server = JwksServer::start("");
    let options = options_of(&server).set("auth.failures", "1/52 weeks");
    let mut tollgate = options.serve();
    tollgate.wait_for_line("tokens are answered 503");
    for _ in 0..5 {
        let response = bearer(&tollgate, &right("1", ES256));
        assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
        let body: Value = serde_json::from_str(&response.body).expect("a body of JSON");
        assert_eq!(body["detail"], "Tokens cannot be verified at the moment.");
    }
    assert_eq!(tollgate.get("/api/data", &[]).status, 200, "who has no token is served");
    server.set(&jwks(&[("1", ES256)]));
    tollgate.wait_for_line("The JWK Set is fetched again.");
    assert_eq!(bearer(&tollgate, &right("1", ES256)).status, 200);
}

#[test]
fn a_secret_that_everyone_can_fetch_is_none_and_one_in_a_file_is() {
    let k = base64url(SECRET);
    let set = json!({ "keys": [{ "kid": "1", "kty": "oct", "k": k }] }).to_string();
    let server = JwksServer::start(&set);
    let tollgate = options_of(&server).serve();
    assert_eq!(bearer(&tollgate, &right("1", HS256)).status, 503);

    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), set).expect("a set of keys");
    let options =
        options("memory:").set("auth.jwt.algorithms", "HS256").set("auth.jwt.audience", "api");
    let tollgate = options.set("auth.jwt.jwks_file", file.path().to_str().expect("text")).serve();
    assert_eq!(bearer(&tollgate, &right("1", HS256)).status, 200);
}

#[test]
fn over_tls_only_who_is_trusted_is_believed() {
    let set = jwks(&[("1", ES256)]);
    let (certificate, key) = (path("tls.test.pem"), path("tls-private.test.pem"));
    let server = JwksServer::start_tls(&set, &certificate, &key);
    let trusted = options_of(&server).env("SSL_CERT_FILE", &path("ca.test.pem")).serve();
    assert_eq!(bearer(&trusted, &right("1", ES256)).status, 200);
    assert_eq!(server.fetches(), 1);

    // Another authority's word is none, and neither is that of no authority.
    for roots in ["p256-public.test.pem", "tls.test.pem"] {
        let mut stranger = options_of(&server).env("SSL_CERT_FILE", &path(roots)).serve();
        stranger.wait_for_line("tokens are answered 503");
        assert_eq!(bearer(&stranger, &right("1", ES256)).status, 503, "{roots}");
    }
    assert_eq!(server.fetches(), 1, "nothing was asked there");
}
