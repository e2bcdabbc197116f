use jsonwebtoken::{Algorithm, EncodingKey};

use super::signer::{KEYS, SECRET, claims, encoded, key, now, path, signed, token};
use super::*;
use crate::support::http::raw;

/// Tokens of one RSA key, for the audience `api`, of one issuer.
fn rsa(options: Options) -> Tollgate {
    options
        .config(&format!(
            "[auth.jwt]\nkey_file = {:?}\nalgorithms = [\"RS256\"]\n\
             issuer = \"https://id.example\"\naudience = [\"api\", \"web\"]\nplan_claim = \"plan\"",
            path("rsa-public.test.pem")
        ))
        .serve()
}

fn good(changes: &Value) -> String {
    token(Algorithm::RS256, changes)
}

#[test]
fn a_right_token_is_its_user_wherever_it_asks_from_and_nobody_without_one_is() {
    on_each_store(|options| {
        let tollgate = rsa(options);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({})))), 9);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "aud": ["x", "web"] })))), 8);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "plan": "pro" })))), 7);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "plan": ["odd"] })))), 6);
        // A number is the user of that name; another user is another.
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "sub": 1042 })))), 5);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "sub": "1043" })))), 9);
        // Within the leeway of 30 seconds.
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "exp": now() - 10 })))), 4);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "nbf": now() + 10 })))), 3);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({ "nbf": null })))), 2);
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9);
    });
}

#[test]
fn a_claim_of_a_right_token_is_counted_by_and_one_of_nobody_is_not() {
    let options = options("memory:").set("policies.default.key", "claim:org");
    let tollgate = rsa(options.set("policies.default.quota", "3/52 weeks"));
    let left = |changes: &Value| remaining(&bearer(&tollgate, &good(changes)));
    assert_eq!(left(&json!({ "org": "acme" })), 2);
    // Another user of the same organisation shares its count.
    assert_eq!(left(&json!({ "org": "acme", "sub": "1043" })), 1);
    assert_eq!(left(&json!({ "org": 7 })), 2);
    assert_eq!(left(&json!({ "org": "7" })), 1);
    assert_eq!(left(&json!({ "org": true })), 2);
    // What is no text, number, true or false is missing, like the claim of a request without a token.
    assert_eq!(left(&json!({})), 2);
    assert_eq!(left(&json!({ "org": ["acme"] })), 1);
    assert_eq!(remaining(&tollgate.get("/api/data", &[("x-org", b"acme")])), 0);
    assert_eq!(bearer(&tollgate, &good(&json!({ "org": null }))).status, 429);
    assert_eq!(left(&json!({ "org": "other" })), 2);
}

#[test]
fn each_algorithm_verifies_with_its_own_key_and_no_other_does() {
    let secret = std::str::from_utf8(SECRET).expect("text");
    let mut verifiers: Vec<_> = KEYS
        .iter()
        .map(|&(file, algorithms)| {
            (options("memory:").set("auth.jwt.key_file", &path(file)), algorithms)
        })
        .collect();
    let hmac: &[_] = &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
    verifiers.push((options("memory:").env("TOLLGATE_AUTH__JWT__KEY", secret), hmac));
    let no_audience = json!({ "aud": null });
    for (options, own) in verifiers {
        let names: Vec<_> = own.iter().map(|algorithm| format!("{algorithm:?}")).collect();
        let tollgate = options.set("auth.jwt.algorithms", &names.join(",")).serve();
        for algorithm in KEYS.iter().flat_map(|(_, all)| *all).chain(hmac) {
            let response = bearer(&tollgate, &token(*algorithm, &no_audience));
            if own.contains(algorithm) {
                assert_eq!(response.status, 200, "{algorithm:?} to {names:?}");
            } else {
                assert_refused(&response, &format!("{algorithm:?} to {names:?}"));
            }
        }
    }
}

/// What an attacker sends, each with what it is, who may have everything but the private key.
fn attacks() -> Vec<(String, String)> {
    let right = good(&json!({}));
    let [head, body, signature] = right.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let pem = std::fs::read(path("rsa-public.test.pem")).expect("a public key");
    let pem = String::from_utf8(pem).expect("text");
    let begin = pem.find("-----BEGIN").expect("PEM");
    let mut attacks: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| attacks.push((what.to_owned(), token));

    for alg in ["none", "None", "NONE", "nOnE", "", "RS256 ", "rs256", "RS257"] {
        let head = encoded(&json!({ "alg": alg, "typ": "JWT" }));
        add(&format!("alg {alg:?}, no signature"), format!("{head}.{body}."));
        add(&format!("alg {alg:?}, a signature"), format!("{head}.{body}.{signature}"));
        add(&format!("alg {alg:?}, two parts"), format!("{head}.{body}"));
    }
    for odd in [json!({}), json!({ "alg": null }), json!({ "alg": ["RS256"] }), json!([]), json!(5)]
    {
        add(&format!("head {odd}"), format!("{}.{body}.{signature}", encoded(&odd)));
    }
    // The public key, as everyone has it, taken for a secret.
    for secret in [&pem, pem.trim_end(), &pem[begin..], pem[begin..].trim_end(), ""] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let secret = EncodingKey::from_secret(secret.as_bytes());
            let head = json!({ "alg": algorithm, "typ": "JWT" });
            add("a public key as secret", signed(&head, &claims(&json!({})), &secret, algorithm));
            let head = json!({ "alg": "RS256", "typ": "JWT" });
            add("a MAC called RS256", signed(&head, &claims(&json!({})), &secret, algorithm));
        }
    }
    for algorithm in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::ES256] {
        add("an algorithm that is not allowed", token(algorithm, &json!({})));
    }
    // A key that it brings along.
    let own =
        serde_json::from_str::<Value>(&signer::jwks(&[("a", Algorithm::ES256)])).expect("JSON");
    for alg in ["ES256", "RS256"] {
        let head = json!({ "alg": alg, "jwk": own["keys"][0], "jku": "http://127.0.0.1:1/" });
        let signed = signed(&head, &claims(&json!({})), &key(Algorithm::ES256), Algorithm::ES256);
        add("a key that it brings along", signed);
    }
    let critical = json!({ "alg": "RS256", "crit": ["b64"], "b64": false });
    add(
        "something critical",
        signed(&critical, &claims(&json!({})), &key(Algorithm::RS256), Algorithm::RS256),
    );

    for changes in [
        json!({ "exp": now() - 60 }),
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "exp": -1 }),
        json!({ "exp": 0 }),
        json!({ "exp": true }),
        json!({ "nbf": now() + 60 }),
        json!({ "nbf": "0" }),
        json!({ "nbf": 1e300 }),
        json!({ "aud": "other" }),
        json!({ "aud": "API" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": ["other", "ap", "apis"] }),
        json!({ "aud": 5 }),
        json!({ "aud": { "api": 1 } }),
        json!({ "iss": "https://id.example.org" }),
        json!({ "iss": "https://id.exampl" }),
        json!({ "iss": "" }),
        json!({ "iss": null }),
        json!({ "iss": 5 }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": true }),
        json!({ "sub": 10.5 }),
        json!({ "sub": ["1042"] }),
        json!({ "sub": { "id": "1042" } }),
        // Right, and longer than anything that is looked at.
        json!({ "padding": "x".repeat(8 * 1024) }),
    ] {
        let shown: String = changes.to_string().chars().take(60).collect();
        add(&format!("claims {shown}"), good(&changes));
    }
    for part in [json!(null), json!("1042"), json!(["sub", "1042"])] {
        let head = json!({ "alg": "RS256" });
        add(
            &format!("claims {part}"),
            signed(&head, &part, &key(Algorithm::RS256), Algorithm::RS256),
        );
    }
    // Another user's claims under this signature.
    let other = encoded(&claims(&json!({ "sub": "1" })));
    add("claims that were not signed", format!("{head}.{other}.{signature}"));
    for end in (0..right.len()).step_by(7).chain([right.len() - 1, head.len(), head.len() + 1]) {
        add(&format!("its first {end} bytes"), right[..end].to_owned());
    }
    for odd in [
        format!("{right}."),
        format!("{right}.x"),
        format!(".{right}"),
        format!("{right}={right}"),
        format!("{right}=="),
        format!("{head}..{signature}"),
        format!("{head}.{body}.{signature}.{body}.{signature}"),
        format!("{head} .{body}.{signature}"),
        format!("{body}.{head}.{signature}"),
        format!("{right},{right}"),
        ".".to_owned(),
        "..".to_owned(),
        "....".to_owned(),
        ".".repeat(8_000),
        "e30.e30.e30".to_owned(),
        "null".to_owned(),
    ] {
        let shown: String = odd.chars().take(20).collect();
        add(&format!("of odd form, {shown}"), odd);
    }
    attacks
}

#[test]
fn no_attack_on_tokens_passes_or_is_counted_against_anyone() {
    on_each_store(|options| {
        let tollgate = rsa(options);
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({})))), 9, "the victim");
        let attacks = attacks();
        assert!(attacks.len() > 150, "{}", attacks.len());
        for (what, token) in attacks {
            assert_refused(&bearer(&tollgate, &token), &what);
        }
        // Nor where nothing is limited.
        let status = ("authorization", &b"Bearer nonsense"[..]);
        assert_refused(&tollgate.get("/api/status", &[status]), "the free path");
        assert_eq!(remaining(&bearer(&tollgate, &good(&json!({})))), 8, "the victim");
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9, "the address");
    });
}

#[test]
fn a_token_of_a_megabyte_or_of_odd_bytes_is_refused_and_harms_nobody() {
    let tollgate = rsa(options("memory:"));
    let long = good(&json!({ "padding": "x".repeat(1024 * 1024) }));
    let odd = "\u{e9}.\u{e9}.\u{e9}".to_owned();
    for token in [long, "a".repeat(1024 * 1024), ".".repeat(1024 * 1024), odd] {
        let head =
            "GET /api/data HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer ";
        let answer = raw(tollgate.url(), format!("{head}{token}\r\n\r\n").as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
        assert_eq!(bearer(&tollgate, &good(&json!({}))).status, 200, "it serves on");
    }
}

#[test]
fn a_token_that_names_an_audience_is_not_for_who_has_none() {
    let options = options("memory:").set("auth.jwt.algorithms", "EdDSA");
    let tollgate = options.set("auth.jwt.key_file", &path("ed25519-public.test.pem")).serve();
    assert_refused(&bearer(&tollgate, &token(Algorithm::EdDSA, &json!({}))), "an audience");
    let for_anyone = token(Algorithm::EdDSA, &json!({ "aud": null }));
    assert_eq!(bearer(&tollgate, &for_anyone).status, 200);
}

#[test]
fn user_and_plan_come_from_the_claims_that_are_named() {
    let options = options("memory:")
        .set("auth.jwt.key_file", &path("p256-public.test.pem"))
        .set("auth.jwt.algorithms", "ES256")
        .set("auth.jwt.audience", "api")
        .set("auth.jwt.user_claim", "https://id.example/uid")
        .set("auth.jwt.leeway_seconds", "0");
    let tollgate = options.serve();
    let uid = |id: &str| json!({ "https://id.example/uid": id });
    assert_eq!(remaining(&bearer(&tollgate, &token(Algorithm::ES256, &uid("7")))), 9);
    assert_eq!(remaining(&bearer(&tollgate, &token(Algorithm::ES256, &uid("8")))), 9);
    assert_eq!(remaining(&bearer(&tollgate, &token(Algorithm::ES256, &uid("7")))), 8);
    assert_refused(&bearer(&tollgate, &token(Algorithm::ES256, &json!({}))), "only a sub");
    let mut late = uid("7");
    late["exp"] = json!(now() - 5);
    assert_refused(&bearer(&tollgate, &token(Algorithm::ES256, &late)), "no leeway");
}
