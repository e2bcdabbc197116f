//! What passes, and what a client sees: of admitted requests, of denied ones, and of the application's own refusals.

use super::site::{BLOCKED, CLIENT, Proxy, Site};

super::through_each_proxy![
    ten_of_ten_pass_and_the_eleventh_is_told_when_to_come_back,
    bodies_reach_the_application_and_head_has_none,
    refusals_of_the_application_pass_untouched,
    a_blocked_client_gets_403_and_what_nothing_limits_has_no_fields,
];

fn ten_of_ten_pass_and_the_eleventh_is_told_when_to_come_back(proxy: Proxy) {
    let site = Site::of(proxy);
    for left in (0..10).rev() {
        let response = site.get("/api/data", &[]);
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.body, "from the application");
        assert_eq!(response.header("content-type"), Some("text/x-own"));
        let field = response.header("ratelimit").expect("where the policy stands");
        assert!(field.starts_with(&format!("\"default\";r={left};t=")), "{field}");
        let field = response.header("ratelimit-policy");
        assert_eq!(field, Some("\"default\";q=10;w=31449600"));
    }
    for (accept, media_type) in
        [("*/*", "application/json"), ("application/problem+json", "application/problem+json")]
    {
        let response = site.get("/api/data", &[("accept", accept)]);
        assert_eq!(response.status, 429, "{response:?}");
        let seconds = response.header("retry-after").and_then(|it| it.parse::<u64>().ok());
        let seconds = seconds.expect("a whole number of seconds");
        let field = format!("\"default\";r=0;t={seconds}");
        assert_eq!(response.header("ratelimit"), Some(&*field));
        assert_eq!(response.header("ratelimit-policy"), Some("\"default\";q=10;w=31449600"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("content-type"), Some(media_type));
        let body: serde_json::Value = serde_json::from_str(&response.body).expect("a problem");
        assert_eq!(body["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!(
            (&body["status"], &body["violated-policies"][0]),
            (&429.into(), &"default".into())
        );
        assert!(response.headers.keys().all(|it| !it.as_str().starts_with("x-tollgate")));
    }
    assert_eq!(site.application.seen().len(), 10);
}

fn bodies_reach_the_application_and_head_has_none(proxy: Proxy) {
    let site = Site::of(proxy);
    let body = "0123456789".repeat(5_000);
    for _ in 0..2 {
        let response = site.ask(CLIENT, "POST", "/api/posts", &[], &body);
        assert_eq!((response.status, &*response.body), (200, "from the application"));
    }
    let denied = site.ask(CLIENT, "POST", "/api/posts", &[], &body);
    assert_eq!(denied.status, 429, "{denied:?}");
    assert!(denied.body.contains("quota-exceeded"));
    let seen = site.application.seen();
    assert_eq!(seen.iter().filter(|it| it.asked == "POST /api/posts").count(), 2);
    assert!(seen.iter().all(|it| it.body == body));

    for _ in 0..10 {
        let response = site.ask(CLIENT, "HEAD", "/api/data", &[], "");
        assert_eq!((response.status, response.header("content-length")), (200, Some("20")));
        assert!(response.header("ratelimit").is_some());
    }
    let denied = site.ask(CLIENT, "HEAD", "/api/data", &[], "");
    assert_eq!(denied.status, 429);
    assert!(denied.header("retry-after").is_some() && denied.header("ratelimit").is_some());
}

fn refusals_of_the_application_pass_untouched(proxy: Proxy) {
    let site = Site::of(proxy);
    for status in [401, 403, 404, 429, 500, 502, 503, 504] {
        let response = site.get(&format!("/own/{status}"), &[]);
        assert_eq!((response.status, &*response.body), (status, "from the application"));
        assert_eq!(response.header("x-own"), Some(&*status.to_string()));
        assert_eq!(response.header("content-type"), Some("text/x-own"));
        assert_eq!(response.header("retry-after"), None);
    }
}

fn a_blocked_client_gets_403_and_what_nothing_limits_has_no_fields(proxy: Proxy) {
    let site = Site::of(proxy);
    let response = site.ask(BLOCKED, "GET", "/free", &[], "");
    assert_eq!(response.status, 403, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(&response.body).expect("a problem");
    assert_eq!((&body["title"], &body["status"]), (&"Forbidden".into(), &403.into()));
    assert!(site.application.seen().is_empty());
    let response = site.get("/free", &[]);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("ratelimit"), None);
    assert_eq!(response.header("ratelimit-policy"), None);
}
