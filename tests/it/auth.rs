//! Authentication: valid credentials give their user, wrong ones give none, and all attacks fail.

use serde_json::{Value, json};

use crate::support::http::Response;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;

// API keys: those that are right, and those that are nearly.
mod api_keys;
// Wrong credentials are charged to the address, and guessing ends.
mod failures;
// Key sets that are fetched: never without bound, and never lost.
mod jwks;
// A plan is its quota, and an entry of an access list holds, for who has proved to be the user.
mod plans;
// Behind proxies: who is charged, and whose word is taken.
mod proxies;
// Signs tokens with the keys in keys/.
mod signer;
// What is secret is in no log, no answer, no message and no store.
mod secrecy;
// Tokens: those that are right, and a table of attacks.
mod tokens;
// Whatever a user is called, a count is nobody else's.
mod users;

/// Runs `test` on a server of each kind of store, where wrong credentials are hardly limited.
fn on_each_store(test: impl Fn(Options)) {
    let redis = Server::start();
    for url in ["memory:", &redis.url()] {
        test(options(url));
    }
}

/// A quota of ten in a window whose edge no test lives to see, by user or else by address.
fn options(store: &str) -> Options {
    Options::default()
        .set("store.url", store)
        .set("store.timeout_ms", "10000")
        .set("policies.default.quota", "10/52 weeks")
        .set("auth.failures", "1000000/52 weeks")
}

fn bearer(tollgate: &Tollgate, token: &str) -> Response {
    tollgate.get("/api/data", &[("authorization", format!("Bearer {token}").as_bytes())])
}

/// The `r` of the only policy in RateLimit.
fn remaining(response: &Response) -> u64 {
    assert_eq!(response.status, 200, "{response:?}");
    let field = response.header("ratelimit").expect("a RateLimit field");
    let (_, rest) = field.split_once(";r=").expect("what remains");
    rest.split(';').next().and_then(|digits| digits.parse().ok()).expect("a number")
}

/// Whether it is the answer to wrong credentials, whole.
#[track_caller]
fn assert_refused(response: &Response, what: &str) {
    assert_eq!(response.status, 401, "{what}: {response:?}");
    assert_eq!(response.header("cache-control"), Some("no-store"), "{what}");
    let challenge = r#"Bearer realm="tollgate", error="invalid_token""#;
    assert_eq!(response.header("www-authenticate"), Some(challenge), "{what}");
    assert_eq!(response.header("ratelimit"), None, "{what}");
    let body: Value = serde_json::from_str(&response.body).expect("a body of JSON");
    let expected = json!({
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The credentials of this request are wrong, or no longer right.",
        "message": "Authentication failed. Please check your credentials.",
    });
    assert_eq!(body, expected, "{what}");
}
