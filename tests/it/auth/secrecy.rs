use jsonwebtoken::Algorithm;

use super::signer::{SECRET, base64url, token, token_of};
use super::*;
use crate::support::jwks::JwksServer;

/// The parts of `secret` that nobody may see: all of it, and of a token what is not its header.
fn parts(secret: &str) -> Vec<&str> {
    let parts = secret.split('.').skip(1);
    parts.chain([secret]).filter(|part| part.len() > 7).collect()
}

#[track_caller]
fn assert_hushed(text: &str, secrets: &[String], place: &str) {
    for part in secrets.iter().flat_map(|secret| parts(secret)) {
        assert!(!text.contains(part), "{part} is in {place}:\n{text}");
    }
}

#[test]
fn credentials_are_in_no_log_and_no_answer_and_no_store_not_even_at_trace() {
    let made = Options::default().run(&["keys", "new", "--user", "1042"]);
    let (key, line) = made.stdout.split_once('\n').expect("a key and a line");
    let redis = Server::start();
    let secret = std::str::from_utf8(SECRET).expect("text");
    let options = options(&redis.url())
        .config(&format!("[auth.keys]\n{line}"))
        .env("TOLLGATE_AUTH__JWT__KEY", secret)
        .set("auth.jwt.algorithms", "HS256")
        .set("auth.jwt.audience", "api")
        .set("auth.failures", "40/52 weeks");
    let mut tollgate = options.env("RUST_LOG", "trace").serve();
    tollgate.wait_for_line("answers: counting there");

    let hs = |changes: &Value| token(Algorithm::HS256, changes);
    let right = [key.to_owned(), hs(&json!({}))];
    let wrong = [
        format!("{}x", &key[..60]),
        hs(&json!({ "exp": 1, "note": "hushed" })),
        hs(&json!({ "aud": "hushed" })),
        hs(&json!({ "sub": { "hushed": 1 } })),
        hs(&json!({ "sub": null, "exp": "hushed" })),
        token_of("a kid that is hushed", Algorithm::ES256, &json!({})),
        format!("{}.{}.hushed-hushed", base64url(b"{\"alg\":\"hushed\"}"), base64url(b"hushed")),
        "hushed-hushed-hushed".to_owned(),
    ];
    let secrets = [&right[..], &wrong, &[secret.to_owned(), base64url(SECRET)]].concat();
    let mut answers = String::new();
    for (credentials, status) in [(&right[..], 200), (&wrong, 401)] {
        for credential in credentials {
            let response = bearer(&tollgate, credential);
            assert_eq!(response.status, status, "{credential}: {response:?}");
            answers += &format!("{response:?}");
            let line = format!("Basic {credential}");
            let response = tollgate.get("/api/status", &[("authorization", line.as_bytes())]);
            answers += &format!("{response:?}");
        }
    }
    let guesses: Vec<u16> = (0..40).map(|_| bearer(&tollgate, &wrong[0]).status).collect();
    assert_eq!(guesses.last(), Some(&429));
    answers += &format!("{:?}", bearer(&tollgate, &right[0]));
    assert_hushed(&answers, &secrets, "an answer");

    let dump: String = redis
        .dump()
        .iter()
        .map(|(key, entry)| format!("{} {}\n", key.escape_ascii(), entry.value.escape_ascii()))
        .collect();
    assert!(dump.contains("user:1042") && dump.contains("auth-failures"), "{dump}");
    assert_hushed(&dump, &secrets, "Redis");

    assert_eq!(tollgate.stop().code(), Some(0));
    let log = tollgate.rest_of_stderr().join("\n");
    assert!(log.contains("Credentials are refused: it has expired."), "{log}");
    assert_hushed(&log, &secrets, "the log");
    assert!(!log.contains("hushed"), "{log}");
}

#[test]
fn what_is_fetched_and_who_sent_which_token_is_not_logged_either() {
    let server = JwksServer::start(&signer::jwks(&[("1", Algorithm::ES256)]));
    let mut tollgate = options("memory:")
        .set("auth.jwt.jwks_url", &server.url())
        .set("auth.jwt.algorithms", "ES256")
        .set("auth.jwt.audience", "api")
        .env("RUST_LOG", "trace")
        .serve();
    let tokens = [
        token_of("1", Algorithm::ES256, &json!({})),
        token_of("2", Algorithm::ES256, &json!({})),
        token_of("1", Algorithm::ES256, &json!({ "exp": 1 })),
    ];
    let statuses = tokens.each_ref().map(|token| bearer(&tollgate, token).status);
    assert_eq!(statuses, [200, 401, 401]);
    assert_eq!(tollgate.stop().code(), Some(0));
    let log = tollgate.rest_of_stderr().join("\n");
    assert_hushed(&log, &tokens, "the log");
}

#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    let secret = "hush-hush-hush-hush-hush-hush-hush-hush";
    let key = "tg_hush0123456789";
    let of_jwt = |rest: &str| format!("[auth.jwt]\nalgorithms = [\"HS256\"]\n{rest}");
    for config in [
        of_jwt("key = \"hush\""),
        of_jwt(&format!("kye = \"{secret}\"")),
        of_jwt(&format!("key_file = \"{secret}\"")),
        of_jwt(&format!("jwks_file = \"{secret}\"")),
        of_jwt(&format!("issuer = [\"{secret}\"]\nkey = 5")),
        of_jwt(&format!("key = [\"{secret}\"]")),
        of_jwt(&format!("key_file = \"no/such/file\"\naudience = \"{secret}\"")),
        of_jwt(&format!("leeway_seconds = \"{secret}\"")),
        of_jwt(&format!("jwks_url = \"https://{secret}@host/\"")),
        of_jwt(&format!("jwks_url = \"{secret}\"")),
        format!("[auth.jwt]\nkey = \"{secret}\"\nalgorithms = [\"RS256\"]"),
        format!("[auth.jwt]\nkey = \"{secret}\""),
        format!("[auth.jwt]\nkey = \"{secret}\"\nalgorithms = [\"{secret}\"]"),
        format!("[auth.jwt]\nkey = \"{secret}\"\nkey_file = \"x\"\nalgorithms = [\"HS256\"]"),
        format!("[auth]\njwt = \"{secret}\""),
        format!("auth = \"{secret}\""),
        format!("[auth]\nkeys = \"{key}\""),
        format!("[auth]\nkeys_file = \"{key}\""),
        format!("[auth.keys]\n{key} = {{ user = \"1042\" }}"),
        format!("[auth.keys]\n{key} = \"1042\""),
        format!("[auth.keys]\n{key} = {{ usr = \"{key}\" }}"),
    ] {
        let finished = Options::default().config(&config).env("RUST_LOG", "trace").run(&["serve"]);
        assert_eq!(finished.status.code(), Some(78), "{config}: {}", finished.stderr);
        assert!(finished.stderr.starts_with("tollgate: auth"), "{config}: {}", finished.stderr);
        assert!(!finished.stderr.contains("hush"), "{config}: {}", finished.stderr);
    }
}
