//! Routes are told apart by the method and the path of the client's own request.

use super::site::{CLIENT, OTHER, Proxy, Site};

super::through_each_proxy![
    requests_are_told_apart_by_method_and_path,
    an_encoded_letter_does_not_bypass_a_limit,
    a_path_is_counted_as_the_application_sees_it,
    clients_are_told_apart_by_address,
];

fn requests_are_told_apart_by_method_and_path(proxy: Proxy) {
    let site = Site::of(proxy);
    for (method, expected) in [
        ("POST", "\"posts\";r=1;"),
        ("GET", "\"default\";r=9;"),
        ("POST", "\"posts\";r=0;"),
        ("PUT", "\"default\";r=8;"),
        ("DELETE", "\"default\";r=7;"),
        ("PATCH", "\"default\";r=6;"),
        ("OPTIONS", "\"default\";r=5;"),
        ("HEAD", "\"default\";r=4;"),
    ] {
        let response = site.ask(CLIENT, method, "/api/posts?a=b&proxy=envoy", &[], "");
        assert_eq!(response.status, 200, "{method}: {response:?}");
        let field = response.header("ratelimit").unwrap_or_default();
        assert!(field.starts_with(expected), "{method}: {field}");
    }
    assert_eq!(site.ask(CLIENT, "POST", "/api/posts", &[], "").status, 429);
    let asked = "POST /api/posts?a=b&proxy=envoy";
    assert_eq!(site.application.seen()[0].asked, asked, "the query reaches the application");
}

fn an_encoded_letter_does_not_bypass_a_limit(proxy: Proxy) {
    let site = Site::of(proxy);
    for target in ["/api/p%6Fsts", "/%61pi/p%6fst%73?x=%2F"] {
        assert_eq!(site.ask(CLIENT, "POST", target, &[], "").status, 200, "{target}");
    }
    for target in ["/api/posts", "/api/%70osts", "/%61%70%69/posts"] {
        assert_eq!(site.ask(CLIENT, "POST", target, &[], "").status, 429, "{target}");
    }
    assert_eq!(site.used("ip:127.0.0.7", "posts"), 2);
}

fn a_path_is_counted_as_the_application_sees_it(proxy: Proxy) {
    let site = Site::of(proxy);
    for target in [
        "/x/../api/data",
        "//api/data",
        "/./api/data",
        "/x/%2e%2e/api/data",
        "/api//data",
        "/api/../free",
        "/api;x/data",
        "/api/a%25b%20c",
        "/api/%C3%B8",
        "/many?/api/data",
        "http://localhost/api/data",
        "http://localhost/many",
        "/api/data?x=http://localhost/free",
    ] {
        let before = site.application.seen().len();
        let response = site.get(target, &[]);
        let Some(seen) = site.application.seen().get(before).cloned() else {
            assert!(matches!(response.status, 400 | 404), "{target}: {response:?}");
            continue;
        };
        let field = response.header("ratelimit").unwrap_or_default();
        let is_of = |policy: &str| field.starts_with(&format!("\"{policy}\""));
        // Some pass the absolute form on.
        let path = seen.asked.replace("http://localhost/", "/");
        let expected = match path.strip_prefix("GET ").expect("a GET") {
            path if path.starts_with("/api/") => is_of("default"),
            path if path.starts_with("/many") => is_of("many"),
            _ => field.is_empty(),
        };
        assert!(expected, "{target} reached the application as {seen:?}: {field:?}");
    }
}

fn clients_are_told_apart_by_address(proxy: Proxy) {
    let site = Site::of(proxy);
    for _ in 0..10 {
        assert_eq!(site.ask(CLIENT, "GET", "/api/data", &[], "").status, 200);
    }
    assert_eq!(site.ask(CLIENT, "GET", "/api/data", &[], "").status, 429);
    assert_eq!(site.ask(OTHER, "GET", "/api/data", &[], "").status, 200);
    assert_eq!(
        (site.used("ip:127.0.0.7", "default"), site.used("ip:127.0.0.8", "default")),
        (10, 1)
    );
}
