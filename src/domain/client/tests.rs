use super::*;

/// What a key says of `client`, in the words of the configuration and of the keyspace.
fn name(client: &Client<'_>, key: &str) -> String {
    let policy = Policy::new("p", "1/minute".parse().unwrap()).unwrap();
    client.identity(&policy.with_key(key.parse().unwrap())).to_string()
}

#[test]
fn each_kind_of_key_has_its_identity() {
    let headers = |name: &str| (name == "x-key").then_some(Cow::Borrowed(&b"abc"[..]));
    let anonymous = Client::at([203, 0, 113, 7].into()).with_headers(&headers);
    let full = anonymous.with_user("1042").with_plan("pro");
    // (key, with everything, without a user, with nothing at all)
    for (key, with_all, without_user, with_nothing) in [
        ("ip", "ip:203.0.113.7", "ip:203.0.113.7", "ip"),
        ("user", "user:1042", "user", "user"),
        ("user-or-ip", "user:1042", "ip:203.0.113.7", "ip"),
        ("global", "global", "global", "global"),
        ("header:X-Key", "header:x-key:abc", "header:x-key:abc", "header:x-key"),
        ("header:x-other", "header:x-other", "header:x-other", "header:x-other"),
    ] {
        assert_eq!(name(&full, key), with_all, "{key}");
        assert_eq!(name(&anonymous, key), without_user, "{key}");
        assert_eq!(name(&Client::unknown(), key), with_nothing, "{key}");
    }
}

#[test]
fn a_plan_is_in_no_identity_and_means_nothing_without_a_user() {
    for key in ["ip", "user", "user-or-ip", "global", "header:x-key"] {
        let client = Client::user("1042");
        assert_eq!(name(&client, key), name(&client.with_plan("pro"), key), "{key}");
    }
    assert_eq!(Client::user("1042").with_plan("pro").plan(), Some("pro"));
    assert_eq!(Client::unknown().with_plan("pro").plan(), None);
}

#[test]
fn what_is_printed_has_no_header_field() {
    let headers = |_: &str| Some(Cow::Borrowed(&b"hunter2"[..]));
    let client = Client::user(b"1\n42").with_headers(&headers);
    let printed = format!("{client:?}");
    assert!(printed.contains(r"1\\n42") && !printed.contains("hunter2"), "{printed}");
}

#[test]
fn each_part_of_a_request_has_its_identity() {
    let headers = |name: &str| match name {
        "x-key" => Some(Cow::Borrowed(&b"abc"[..])),
        "cookie" => Some(Cow::Borrowed(&b"a=1; session=s1"[..])),
        _ => None,
    };
    let claims = Claims::default().with("org", "acme");
    let client = Client::at([203, 0, 113, 7].into())
        .with_headers(&headers)
        .with_claims(&claims)
        .with_query("api_key=k%201&x=2")
        .with_host("API.example.com:8443")
        .with_route("GET /items/{id}", "/items/7");
    for (key, expected, with_nothing) in [
        ("claim:org", "claim:org:acme", "claim:org"),
        ("claim:team", "claim:team", "claim:team"),
        ("cookie:session", "cookie:session:s1", "cookie:session"),
        ("query:api_key", "query:api_key:k%201", "query:api_key"),
        ("host", "host:api.example.com", "host"),
        ("segment:id", "segment:id:7", "segment:id"),
        ("segment:name", "segment:name", "segment:name"),
        ("route", "route:GET%20%2Fitems%2F%7Bid%7D", "route"),
        ("route,ip", "ip:203.0.113.7,route:GET%20%2Fitems%2F%7Bid%7D", "ip,route"),
        ("user-or-ip,header:x-key", "ip:203.0.113.7,header:x-key:abc", "ip,header:x-key"),
        ("user,ip", "ip:203.0.113.7,user", "ip,user"),
    ] {
        assert_eq!(name(&client, key), expected, "{key}");
        assert_eq!(name(&Client::unknown(), key), with_nothing, "{key}");
    }
    assert_eq!(
        name(&client.with_user("1042"), "user-or-ip,host"),
        "user:1042,host:api.example.com"
    );
}

#[test]
fn a_client_is_the_same_on_a_route_that_is_gone_sooner() {
    let headers = |name: &str| (name == "x-key").then_some(Cow::Borrowed(&b"abc"[..]));
    let claims = Claims::default().with("org", "acme");
    let client = Client::at([203, 0, 113, 7].into()).with_user("1042").with_plan("pro");
    let client =
        client.with_headers(&headers).with_claims(&claims).with_query("a=1").with_host("b");
    let pattern = String::from("/{id}");
    let route = Matched { pattern: &pattern, path: "/7" };
    client.on_route(route, |it| {
        for key in ["ip", "user", "header:x-key", "claim:org", "query:a", "host"] {
            assert_eq!(name(it, key), name(&client, key));
        }
        assert_eq!((name(it, "segment:id").as_str(), it.plan()), ("segment:id:7", Some("pro")));
    });
}

#[test]
fn what_is_printed_has_no_value_of_a_claim_or_of_the_query() {
    let claims = Claims::default().with("org", "hunter2");
    let client = Client::unknown().with_claims(&claims).with_query("key=hunter2");
    let printed = format!("{client:?}");
    assert!(printed.contains("org") && !printed.contains("hunter2"), "{printed}");
}
