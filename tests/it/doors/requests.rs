//! What a request costs, who sends it, which policies it meets, and what comes back.

use serde_json::Value;
use tollgate::{Cost, KeySource, User};

use super::{Counts, Door, Limit, has_fields, on_each_store, policy, through_each_door};

through_each_door! {
    the_eleventh_request_of_ten_is_denied,
    a_closed_gate_opens_when_it_said_and_not_a_millisecond_earlier,
    problem_details_are_for_those_who_accept_them,
    head_goes_with_get,
    policies_are_met_in_the_order_they_are_named_and_others_are_not,
    a_request_meets_nothing_where_no_route_is_listed,
    a_request_takes_the_most_specific_route_for_its_method_and_path,
    a_request_is_charged_what_it_costs,
    a_request_is_charged_what_its_route_costs_unless_the_host_says,
    a_request_that_is_skipped_is_neither_counted_nor_denied,
    a_user_has_one_quota_from_every_address,
    a_user_that_the_host_names_stands_before_the_one_in_the_extensions,
    keys_of_header_fields_are_counted_apart,
    what_the_application_answers_passes_through_and_is_counted,
}

fn the_eleventh_request_of_ten_is_denied(door: Door) {
    on_each_store(|counts| {
        let served = counts.default_of("10/minute").serve(door);
        for remaining in (0..10).rev() {
            let seen = served.get("/");
            assert_eq!((seen.status, &*seen.body), (200, "Hello"));
            assert_eq!(seen.header("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
            let standing = format!(r#""default";r={remaining};t=42"#);
            assert_eq!(seen.header("ratelimit"), Some(&*standing));
            for absent in ["retry-after", "cache-control", "x-ratelimit-limit"] {
                assert_eq!(seen.header(absent), None);
            }
        }
        let seen = served.get("/");
        assert_eq!(seen.status, 429);
        assert_eq!(seen.header("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
        assert_eq!(seen.header("ratelimit"), Some(r#""default";r=0;t=42"#));
        assert_eq!(seen.header("retry-after"), Some("42"));
        assert_eq!(seen.header("cache-control"), Some("no-store"));
        assert_eq!(seen.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_str(&seen.body).expect("a body of JSON");
        assert_eq!(body["violated-policies"], serde_json::json!(["default"]));
        assert_eq!(body["message"], "Too many requests. Please try again later.");
        assert_eq!(served.reached(), 10, "a denied request goes no further");
    });
}

fn a_closed_gate_opens_when_it_said_and_not_a_millisecond_earlier(door: Door) {
    on_each_store(|counts| {
        let served = counts.default_of("1/minute").serve(door);
        assert_eq!(served.statuses("/", 2), [200, 429]);
        counts.clock.advance(41_999);
        let seen = served.get("/");
        assert_eq!((seen.status, seen.header("retry-after")), (429, Some("1")));
        counts.clock.advance(1);
        assert_eq!(served.statuses("/", 2), [200, 429]);
        counts.clock.set(super::NOW);
    });
}

fn problem_details_are_for_those_who_accept_them(door: Door) {
    let served = Counts::in_memory().default_of("1/minute").serve(door);
    served.get("/");
    for (accept, expected) in [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/problem+json", "application/problem+json"),
        ("text/html, application/problem+json;q=0.9", "application/problem+json"),
    ] {
        let seen = served.ask("GET", "/", &[("accept", accept)]);
        assert_eq!((seen.status, seen.header("content-type")), (429, Some(expected)), "{accept}");
    }
}

fn head_goes_with_get(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("read", "3/minute"), policy("write", "9/minute")]);
        let limiter = limiter.route("GET /", ["read"], []).route("POST /", ["write"], []);
        let served = Limit::new(limiter).serve(door);
        for (method, status, standing) in [
            ("GET", 200, r#""read";r=2;t=42"#),
            ("HEAD", 200, r#""read";r=1;t=42"#),
            ("POST", 200, r#""write";r=8;t=42"#),
            ("HEAD", 200, r#""read";r=0;t=42"#),
            ("HEAD", 429, r#""read";r=0;t=42"#),
            ("GET", 429, r#""read";r=0;t=42"#),
        ] {
            let seen = served.ask(method, "/", &[]);
            assert_eq!((seen.status, seen.header("ratelimit")), (status, Some(standing)));
            assert_eq!(seen.body.is_empty(), method == "HEAD");
            let length = seen.header("content-length").expect("a length, also without a body");
            assert_ne!(length, "0", "{method}: it is that of the body that GET has");
        }
    });
}

fn policies_are_met_in_the_order_they_are_named_and_others_are_not(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter(["a", "b", "c"].map(|name| policy(name, "9/minute")));
        let served = Limit::by(limiter.route("/", ["c"], []), ["b", "a"]).serve(door);
        served.get("/");
        let seen = served.get("/");
        assert_eq!(seen.header("ratelimit"), Some(r#""b";r=7;t=42, "a";r=7;t=42"#));
    });
}

fn a_request_meets_nothing_where_no_route_is_listed(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("default", "1/minute")]).route("/a", ["default"], []);
        let served = Limit::new(limiter).serve(door);
        assert_eq!(served.statuses("/b", 3), [200; 3]);
        assert!(!has_fields(&served.get("/b")));
        assert_eq!(served.statuses("/a", 2), [200, 429]);
    });
}

fn a_request_takes_the_most_specific_route_for_its_method_and_path(door: Door) {
    let policies = ["all", "item", "write"].map(|name| policy(name, "9/minute"));
    let limiter = Counts::in_memory().limiter(policies);
    let limiter = limiter.route("/*", ["all"], []).route("/items/{id}", ["item"], []);
    let served = Limit::new(limiter.route("POST /items/{id}", ["write"], [])).serve(door);
    for (method, path, name) in [
        ("GET", "/items/7?x=/other", "item"),
        ("GET", "/items/7%2f8", "item"),
        ("POST", "/items/7", "write"),
        ("GET", "/items/7/", "all"),
        ("GET", "/", "all"),
    ] {
        let seen = served.ask(method, path, &[]);
        let policy = format!("\"{name}\";q=9;w=60");
        assert_eq!(seen.header("ratelimit-policy"), Some(&*policy), "{method} {path}");
    }
}

fn a_request_is_charged_what_it_costs(door: Door) {
    on_each_store(|counts| {
        let mut limit = counts.default_of("10/minute");
        limit.cost = Some(|head| {
            let units = head.field("x-cost").map_or(1, |units| units.parse().expect("a number"));
            Cost::new(units).expect("a cost")
        });
        let served = limit.serve(door);
        // (cost, status, RateLimit, Retry-After)
        for (cost, status, standing, wait) in [
            ("4", 200, r#""default";r=6;t=42"#, None),
            ("4", 200, r#""default";r=2;t=42"#, None),
            ("4", 429, r#""default";r=2;t=42"#, Some("42")),
            // What is left is for smaller ones.
            ("1", 200, r#""default";r=1;t=42"#, None),
            // More than the whole quota: there is no wait after which it would pass.
            ("11", 429, r#""default";r=1"#, None),
            ("1", 200, r#""default";r=0;t=42"#, None),
        ] {
            let seen = served.ask("GET", "/", &[("x-cost", cost)]);
            assert_eq!((seen.status, seen.header("ratelimit")), (status, Some(standing)), "{cost}");
            assert_eq!(seen.header("retry-after"), wait, "{cost}");
        }
    });
}

fn a_request_is_charged_what_its_route_costs_unless_the_host_says(door: Door) {
    on_each_store(|counts| {
        let routes = || {
            let limiter = counts.limiter([policy("default", "10/minute")]);
            let cost = Cost::new(4).expect("a cost");
            let limiter = limiter.route_of_cost(cost, "POST /{kind}/export", ["default"], []);
            Limit::new(limiter.route("/*", ["default"], []))
        };
        let mut hosts = routes();
        hosts.cost = Some(|_| Cost::new(2).expect("a cost"));
        for (limit, expected) in [(routes(), [6, 5]), (hosts, [8, 6])] {
            let served = limit.serve(door);
            for (seen, left) in
                [served.ask("POST", "/items/export", &[]), served.get("/")].iter().zip(expected)
            {
                let standing = format!(r#""default";r={left};t=42"#);
                assert_eq!(seen.header("ratelimit"), Some(&*standing));
            }
        }
    });
}

fn a_request_that_is_skipped_is_neither_counted_nor_denied(door: Door) {
    on_each_store(|counts| {
        let mut limit = counts.default_of("2/minute");
        limit.skip = Some(|head| head.path == "/health");
        let served = limit.serve(door);
        assert_eq!(served.statuses("/health", 5), [200; 5]);
        assert_eq!(served.statuses("/", 3), [200, 200, 429]);
        let seen = served.get("/health");
        assert_eq!((seen.status, has_fields(&seen)), (200, false));
    });
}

fn a_user_has_one_quota_from_every_address(door: Door) {
    // The key; requests, each of a user and from an address; their statuses.
    type Case = (KeySource, &'static [(&'static str, &'static str)], &'static [u16]);
    let cases: [Case; 4] = [
        (
            KeySource::User,
            &[("ann", "1"), ("ann", "2"), ("bob", "1"), ("ann", "3"), ("bob", "1")],
            &[200, 200, 200, 429, 200],
        ),
        // Without a user the address counts, and not against the users behind it.
        (
            KeySource::UserOrIp,
            &[("ann", "1"), ("ann", "1"), ("", "1"), ("", "1"), ("", "1"), ("", "2"), ("ann", "2")],
            &[200, 200, 200, 200, 429, 200, 429],
        ),
        (
            KeySource::Ip,
            &[("ann", "1"), ("bob", "1"), ("cid", "1"), ("ann", "2")],
            &[200, 200, 429, 200],
        ),
        (KeySource::Global, &[("ann", "1"), ("bob", "2"), ("", "3")], &[200, 200, 429]),
    ];
    on_each_store(|counts| {
        for (key, requests, expected) in cases.clone() {
            let policy = policy("default", "2/minute").with_key(key.clone());
            let mut limit = Limit::by(counts.limiter([policy]), ["default"]);
            limit.client_ip = super::behind_a_proxy();
            let served = limit.serve(door);
            let ask = |(user, address): &(&str, &str)| {
                let address = format!("203.0.113.{address}");
                let lines = [("x-real-ip", &*address), ("x-user", user)];
                let lines = if user.is_empty() { &lines[..1] } else { &lines[..] };
                served.ask("GET", "/", lines).status
            };
            let seen: Vec<u16> = requests.iter().map(ask).collect();
            assert_eq!(seen, expected, "by {key}");
        }
    });
}

fn a_user_that_the_host_names_stands_before_the_one_in_the_extensions(door: Door) {
    let mut limit = Counts::in_memory().default_of("1/minute");
    limit.user = Some(|head| head.field("x-named").map(User::new));
    let served = limit.serve(door);
    for (named, authenticated, expected) in
        [("ann", "a", 200), ("ann", "b", 429), ("bob", "a", 200), ("bob", "c", 429)]
    {
        let seen = served.ask("GET", "/", &[("x-named", named), ("x-user", authenticated)]);
        assert_eq!(seen.status, expected, "{named} as {authenticated}");
    }
}

fn keys_of_header_fields_are_counted_apart(door: Door) {
    // More than one, in no order, and one of them twice: each is looked for by its name.
    let keyed = |name: &str, header: &str| {
        let key = KeySource::Header(header.to_owned().into());
        policy(name, "1/minute").with_key(key)
    };
    let fields = ["x-zone", "x-tenant", "x-app", "x-key", "x-zone"];
    let names = ["a", "b", "c", "d", "e"];
    on_each_store(|counts| {
        let policies = names.iter().zip(fields).map(|(name, field)| keyed(name, field));
        let limiter = counts.limiter(policies);
        let limiter = names
            .iter()
            .fold(limiter, |limiter, name| limiter.route(format!("/{name}"), [*name], []));
        let served = Limit::new(limiter).serve(door);
        for (name, field) in names.iter().zip(fields) {
            let path = format!("/{name}");
            let ask = |value| served.ask("GET", &path, &[(field, value)]).status;
            assert_eq!([ask("1"), ask("1"), ask("2")], [200, 429, 200], "{field}");
        }
    });
}

fn what_the_application_answers_passes_through_and_is_counted(door: Door) {
    on_each_store(|counts| {
        let served = counts.default_of("4/minute").serve(door);
        let ask = |what: &str| served.ask("GET", "/", &[("x-answer", what)]);
        for (what, status, body, left) in [
            ("404", 404, "There is nothing here.", 3),
            ("500", 500, "It went wrong.", 2),
            ("stream", 200, "a stream of parts", 1),
            ("304", 304, "", 0),
        ] {
            let seen = ask(what);
            assert_eq!((seen.status, &*seen.body), (status, body));
            let standing = format!(r#""default";r={left};t=42"#);
            assert_eq!(seen.header("ratelimit"), Some(&*standing));
            assert_eq!(seen.header("x-trace"), (what == "500").then_some("7"));
            let chunked = (what == "stream").then_some("chunked");
            assert_eq!(seen.header("transfer-encoding"), chunked);
        }
        assert_eq!(ask("stream").status, 429);
    });
}
