//! The section `auth`.

use super::*;
use crate::http::identity::User;

const NO_KEYS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/no_keys.toml");

/// The SHA-256 of `abc` and of `abd`.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABD: &str = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";
const SECRET_OF_32: &str = "0123456789abcdef0123456789abcdef";

fn auth(text: &str) -> AuthOptions {
    load_text(text).expect(text).auth
}

#[test]
fn nothing_is_authenticated_until_a_way_is_set() {
    for text in [
        "",
        "[auth]",
        "[auth]\nfailures = \"5/hour\"",
        "[auth.keys]\n[auth.jwt]\nleeway_seconds = 1",
    ] {
        let auth = auth(text);
        assert_eq!((auth.api_keys, auth.jwt, auth.user_header), (None, None, None), "{text}");
    }
    assert_eq!(auth("auth.failures = \"5/hour\"").failures.to_string(), "5/hour");
}

#[test]
fn keys_are_read_from_every_layer_and_from_the_file_together() {
    let file = Scratch::new(format!("{ABD} = {{ user = \"bob@example.org\" }}"));
    let main = Scratch::new(format!(
        "[auth]\nkeys_file = {:?}\n[auth.keys]\n{ABC} = {{ user = \"ann\", plan = \"free\" }}\n\
         [policies.default.plans]\npro = \"20/minute\"",
        file.0.file_name().unwrap()
    ));
    let sources = Sources {
        files: vec![main.0.clone()],
        ..variables(&[(&format!("TOLLGATE_AUTH__KEYS__{ABC}__PLAN"), "pro")])
    };
    let keys = load(&sources).unwrap().auth.api_keys.unwrap();
    assert_eq!(keys.user_of(b"abc"), Some(&User::new("ann").with_plan("pro")));
    assert_eq!(keys.user_of(b"abd"), Some(&User::new("bob@example.org")));
    assert_eq!(keys.user_of(b"abe"), None);
}

#[test]
fn tokens_are_described_by_every_layer() {
    let from_file = auth(&format!(
        "[auth.jwt]\nkey = \"{SECRET_OF_32}\"\nalgorithms = [\"HS256\"]\nissuer = \"i\"\n\
         audience = [\"a\", \"b\"]\nleeway_seconds = 0\nuser_claim = \"uid\"\nplan_claim = \"tier\""
    ));
    let from_variables = load(&variables(&[
        ("TOLLGATE_AUTH__JWT__KEY", SECRET_OF_32),
        ("TOLLGATE_AUTH__JWT__ALGORITHMS", "HS256"),
        ("TOLLGATE_AUTH__JWT__ISSUER", "i"),
        ("TOLLGATE_AUTH__JWT__AUDIENCE", "a, b"),
        ("TOLLGATE_AUTH__JWT__LEEWAY_SECONDS", "0"),
        ("TOLLGATE_AUTH__JWT__USER_CLAIM", "uid"),
        ("TOLLGATE_AUTH__JWT__PLAN_CLAIM", "tier"),
    ]));
    assert_eq!(from_variables.unwrap().auth, from_file);
    let JwtOptions { keys, rules } = from_file.jwt.unwrap();
    assert_eq!(keys, JwtKeys::Only(Secret::new(SECRET_OF_32.as_bytes())));
    assert_eq!((rules.issuer.as_deref(), rules.leeway_seconds), (Some("i"), 0));
    assert_eq!(rules.audience, ["a", "b"]);
    assert_eq!((&*rules.user_claim, rules.plan_claim.as_deref()), ("uid", Some("tier")));
}

#[test]
fn the_word_of_a_proxy_needs_one_that_is_known() {
    for text in [
        "client_ip.trusted_proxies = [\"10.0.0.0/8\"]",
        "server.listen = \"unix:/run/t.sock\"\nclient_ip.header = \"x-forwarded-for\"",
    ] {
        let name = auth(&format!("auth.user_header = \"x-user\"\n{text}")).user_header;
        assert_eq!(name.as_ref().map(HeaderName::as_str), Some("x-user"), "{text}");
    }
}

const NO_PROXY: &str = "auth.user_header: no proxy is known that may send it: \
                        expected client_ip.trusted_proxies, not hops";

#[test]
fn what_cannot_authenticate_anyone_says_why() {
    let algorithms = "algorithms = [\"RS256\"]";
    let one_key = "auth.jwt: expected one key: key, key_file, jwks_file or jwks_url";
    let cases = [
        (
            "auth.failures = \"often\"".to_owned(),
            "auth.failures: \"often\" is not a quota: expected units per window, as in \"10/minute\", \"100 per hour\" or \"5/2 seconds\"",
        ),
        (
            "auth.user_header = \"x user\"".to_owned(),
            "auth.user_header: expected the name of a header field, as in \"x-api-key\"",
        ),
        ("auth.user_header = \"x-user\"".to_owned(), NO_PROXY),
        (
            "auth.user_header = \"x-user\"\nserver.listen = \"unix:/run/t.sock\"".to_owned(),
            NO_PROXY,
        ),
        (
            "auth.user_header = \"x-user\"\n[client_ip]\nhops = 1\nheader = \"forwarded\""
                .to_owned(),
            NO_PROXY,
        ),
        (
            format!(
                "[auth.keys]\n{ABC} = {{ user = \"1\", plan = \"por\" }}\n\
                 [policies.default.plans]\npro = \"20/minute\""
            ),
            "auth.keys.ABC.plan: no policy has a quota for a plan \"por\"",
        ),
        (
            "auth.api_key_header = \"x-api-key\"".to_owned(),
            "auth.api_key_header: there are no API keys: expected auth.keys or auth.keys_file",
        ),
        (
            format!("auth = {{ api_key_header = \"Authorization\", keys_file = {NO_KEYS:?} }}"),
            "auth.api_key_header: leave it out for Authorization: Bearer",
        ),
        (
            "auth.keys_file = \"/no/such/file\"".to_owned(),
            "auth.keys_file: the file of that name cannot be read: No such file or directory (os error 2)",
        ),
        (
            "auth.keys.abc.user = \"1\"".to_owned(),
            "auth.keys: a name in it is not the SHA-256 of a key: expected 64 hexadecimal digits, as `tollgate keys new` prints them",
        ),
        (
            format!("auth.keys.{ABC} = {{}}"),
            "auth.keys.ABC: user is missing, expected whose key it is, as in user = \"1042\"",
        ),
        (format!("auth.keys.{ABC}.user = \"\""), "auth.keys.ABC.user: expected text, got nothing"),
        (
            format!("auth.keys.{ABC}.user = 1042"),
            "auth.keys.ABC.user: expected text in quotes, got 1042",
        ),
        (
            format!("auth.keys.{ABC} = {{ user = \"1\", expires = 5 }}"),
            "auth.keys.ABC.expires: unknown key, expected user or plan",
        ),
        (
            format!("[auth.keys]\n{ABC}.user = \"1\"\n{}.user = \"2\"", ABC.to_uppercase()),
            "auth.keys: the key ABC is there twice",
        ),
        (format!("[auth.jwt]\n{algorithms}"), one_key),
        ("auth.jwt.issuer = \"https://id.example\"".to_owned(), one_key),
        ("auth.jwt.audience = [\"api\"]".to_owned(), one_key),
        (format!("[auth.jwt]\n{algorithms}\nkey = \"a\"\njwks_url = \"https://h/\""), one_key),
        (
            "auth.jwt.jwks_url = \"https://h/\"".to_owned(),
            "auth.jwt: algorithms is missing, expected how tokens are signed, as in [\"RS256\"]",
        ),
        (
            "[auth.jwt]\njwks_url = \"https://h/\"\nalgorithms = [\"RS256\", \"none\"]".to_owned(),
            "auth.jwt.algorithms: a name in it is not an algorithm of tokens: expected HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384 or EdDSA",
        ),
        (
            format!("[auth.jwt]\n{algorithms}\nkey = \"{SECRET_OF_32}\""),
            "auth.jwt.key: is a secret, which does not serve RS256: see auth.jwt.algorithms",
        ),
        (
            format!("[auth.jwt]\n{algorithms}\njwks_file = {NO_KEYS:?}"),
            "auth.jwt.jwks_file: is no JWK Set: expected JSON with a list of keys",
        ),
        (
            format!("[auth.jwt]\n{algorithms}\njwks_url = \"http://id.example/\""),
            "auth.jwt.jwks_url: keys that come over plain HTTP could be anyone's: expected https://host/path (http:// only on this machine, as in http://127.0.0.1:8081/jwks.json)",
        ),
        (
            format!("[auth.jwt]\n{algorithms}\njwks_url = \"https://h/\"\nleeway_seconds = 301"),
            "auth.jwt.leeway_seconds: expected a whole number from 0 to 300, got 301",
        ),
        (
            "[policies.auth-failures]\nquota = \"1/day\"".to_owned(),
            "policies.auth-failures: this is the name of the policy that auth.failures sets: expected another",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error_of_text(&text).replace(ABC, "ABC"), expected, "for {text}");
    }
}

#[test]
fn an_error_of_the_file_of_keys_is_from_that_file() {
    let keys = Scratch::new(format!("{ABC} = {{ usr = \"1042\" }}\ntg_hunter2.user = \"1042\""));
    let broken = Scratch::new("tg_hunter2 =\n");
    for (file, expected) in [
        (&keys, &["auth.keys: a name", "auth.keys.ba78", "auth.keys.ba78"][..]),
        (&broken, &[&format!("{}:1: column", broken.name())]),
    ] {
        let found = lines(&settings(&[&format!("auth.keys_file={}", file.name())]));
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (line, expected) in found.iter().zip(expected) {
            assert!(line.starts_with(expected) && line.contains(file.name()), "{line}");
            assert!(!line.contains("hunter2"), "{line}");
        }
    }
}

#[test]
fn a_configuration_prints_no_secret() {
    let config = auth(&format!(
        "[auth.keys]\n{ABC}.user = \"1042\"\n[auth.jwt]\nkey = \"{SECRET_OF_32}\"\nalgorithms = [\"HS256\"]"
    ));
    let shown = format!("{config:?}");
    assert!(shown.contains("ApiKeys(1 keys)") && shown.contains("Only(Secret(***))"), "{shown}");
    assert!(!shown.contains(SECRET_OF_32) && !shown.contains(ABC), "{shown}");
}
