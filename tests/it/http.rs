//! HTTP clients of the app: every request gets the answer that the interface promises.

use serde_json::{Value, json};

use crate::support::http::Response;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;

mod access;
mod odd_requests;
mod own_bodies;
mod routes;
mod settings;

/// Runs `test` on a server of each kind of store: what is promised holds for both.
fn on_each_store(test: impl Fn(Options)) {
    let redis = Server::start();
    for url in ["memory:", &redis.url()] {
        // A busy machine is no dead store: these tests are not about time limits.
        test(Options::default().set("store.url", url).set("store.timeout_ms", "10000"));
    }
}

/// Ten requests, in a window whose edge no test lives to see.
fn ten(options: Options) -> Tollgate {
    options.set("policies.default.quota", "10/52 weeks").serve()
}

fn json(response: &Response) -> Value {
    assert_eq!(response.header("content-type"), Some("application/json"));
    serde_json::from_str(&response.body).expect("a body of JSON")
}

/// The `r` of the only policy in RateLimit.
fn remaining(response: &Response) -> u64 {
    let field = response.header("ratelimit").expect("a RateLimit field");
    let (_, rest) = field.split_once(";r=").expect("what remains");
    rest.split(';').next().and_then(|digits| digits.parse().ok()).expect("a number")
}

#[test]
fn a_client_of_the_first_version_sees_what_it_always_saw() {
    on_each_store(|options| {
        let tollgate = ten(options);
        let ask = || {
            let response = tollgate.get("/api/data", &[]);
            (response.status, json(&response)["message"].clone())
        };
        for _ in 0..10 {
            assert_eq!(ask(), (200, json!("Here is your data!")));
        }
        for _ in 0..3 {
            assert_eq!(ask(), (429, json!("Too many requests. Please try again later.")));
        }
    });
}

#[test]
fn the_data_comes_with_where_its_caller_stands() {
    on_each_store(|options| {
        let tollgate = ten(options);
        for left in (0..10).rev() {
            let response = tollgate.get("/api/data", &[]);
            assert_eq!(response.status, 200);
            assert_eq!(response.body, r#"{"message":"Here is your data!"}"#);
            let policy = r#""default";q=10;w=31449600"#;
            assert_eq!(response.header("ratelimit-policy"), Some(policy));
            assert_eq!(remaining(&response), left);
            for absent in ["retry-after", "x-ratelimit-limit", "access-control-expose-headers"] {
                assert_eq!(response.header(absent), None);
            }
        }
    });
}

#[test]
fn a_denial_says_who_denies_and_how_long() {
    on_each_store(|options| {
        let tollgate = ten(options);
        let mut response = tollgate.get("/api/data", &[]);
        while response.status == 200 {
            response = tollgate.get("/api/data", &[]);
        }
        assert_eq!(response.status, 429);
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("content-type"), Some("application/json"));
        let wait = response.header("retry-after").expect("a wait");
        assert!((1..=31_449_600).contains(&wait.parse::<u64>().expect("whole seconds")));
        let standing = format!(r#""default";r=0;t={wait}"#);
        assert_eq!(response.header("ratelimit"), Some(&*standing));
        assert_eq!(response.header("ratelimit-policy"), Some(r#""default";q=10;w=31449600"#));
        let expected = [
            r#"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#,
            r#""title":"Quota Exceeded","status":429,"#,
            r#""detail":"Policy \"default\" allows 10 requests per 31449600 s. Retry in "#,
            wait,
            r#" s.","violated-policies":["default"],"#,
            r#""message":"Too many requests. Please try again later."}"#,
        ];
        assert_eq!(response.body, expected.concat());

        let problem = tollgate.get("/api/data", &[("accept", b"application/problem+json")]);
        assert_eq!(problem.header("content-type"), Some("application/problem+json"));
    });
}

#[test]
fn the_status_is_free_and_tells_where_its_caller_stands_also_when_closed() {
    on_each_store(|options| {
        let tollgate = ten(options);
        for used in 0..12_u64 {
            for _ in 0..2 {
                let response = tollgate.get("/api/status", &[]);
                assert_eq!((response.status, &*response.body), (200, r#"{"status":"OK"}"#));
                assert_eq!(remaining(&response), 10_u64.saturating_sub(used));
                let policy = r#""default";q=10;w=31449600"#;
                assert_eq!(response.header("ratelimit-policy"), Some(policy));
                assert_eq!(response.header("retry-after"), None);
                assert_eq!(response.header("content-type"), Some("application/json"));
            }
            let expected = if used < 10 { 200 } else { 429 };
            assert_eq!(tollgate.get("/api/data", &[]).status, expected);
        }
    });
}

#[test]
fn what_is_not_there_is_404_as_json_and_uncounted() {
    on_each_store(|options| {
        let tollgate = ten(options);
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/api"),
            ("GET", "/api/data/more"),
            ("GET", "/favicon.ico"),
            ("POST", "/nowhere"),
            ("OPTIONS", "/nowhere"),
            ("BREW", "/pot"),
        ] {
            let response = tollgate.request(method, path, &[]);
            assert_eq!(response.status, 404, "{method} {path}");
            let expected = json!({
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "message": "There is nothing at this path.",
            });
            assert_eq!(json(&response), expected, "{method} {path}");
            assert_eq!(response.header("ratelimit"), None, "{method} {path}");
        }
        assert_eq!(remaining(&tollgate.get("/api/status", &[])), 10);
    });
}

#[test]
fn a_path_that_is_only_read_is_405_as_json_to_other_methods() {
    on_each_store(|options| {
        let tollgate = ten(options);
        for path in ["/api/data", "/api/status"] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
                // As POST and others have a body, be it empty.
                let response = tollgate.request(method, path, &[("content-length", b"0")]);
                assert_eq!(response.status, 405, "{method} {path}");
                assert_eq!(response.header("allow"), Some("GET, HEAD"), "{method} {path}");
                let expected = json!({
                    "type": "about:blank",
                    "title": "Method Not Allowed",
                    "status": 405,
                    "message": "This path is only read, by GET or HEAD.",
                });
                assert_eq!(json(&response), expected, "{method} {path}");
            }
        }
    });
}

#[test]
fn no_cache_keeps_those_and_whoever_names_problem_details_gets_them() {
    let tollgate = Options::default().set("store.url", "memory:").serve();
    for (method, path, status) in [("GET", "/nowhere", 404), ("DELETE", "/api/status", 405)] {
        for media_type in ["application/json", "application/problem+json"] {
            let lines = [("content-length", &b"0"[..]), ("accept", media_type.as_bytes())];
            let response = tollgate.request(method, path, &lines);
            assert_eq!(response.status, status);
            assert_eq!(response.header("content-type"), Some(media_type), "{status}");
            assert_eq!(response.header("cache-control"), Some("no-store"), "{status}");
        }
    }
}

#[test]
fn head_is_get_without_the_body_and_costs_the_same() {
    on_each_store(|options| {
        let tollgate = ten(options);
        let status = tollgate.request("HEAD", "/api/status", &[]);
        assert_eq!((status.status, &*status.body, remaining(&status)), (200, "", 10));
        for left in (0..10).rev() {
            let head = tollgate.request("HEAD", "/api/data", &[]);
            assert_eq!((head.status, &*head.body, remaining(&head)), (200, "", left));
            assert_eq!(head.header("content-type"), Some("application/json"));
        }
        let head = tollgate.request("HEAD", "/api/data", &[]);
        assert_eq!((head.status, &*head.body), (429, ""));
        assert!(head.header("retry-after").is_some());
        assert_eq!(tollgate.get("/api/data", &[]).status, 429);
    });
}

#[test]
fn without_a_configuration_ten_requests_a_minute_pass() {
    let tollgate = Options::default().set("store.url", "memory:").serve();
    let response = tollgate.get("/api/data", &[]);
    assert_eq!((response.status, remaining(&response)), (200, 9));
    assert_eq!(response.header("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
}
