//! Settings that change what clients see.

use super::*;

#[test]
fn a_quota_by_a_header_is_each_values_own() {
    on_each_store(|options| {
        let tollgate = options
            .set("policies.default.quota", "2/52 weeks")
            .set("policies.default.key", "header:X-API-Key")
            .serve();
        let (long, longer) = (vec![b'k'; 8_000], vec![b'k'; 8_001]);
        let values: [&[u8]; 10] = [
            b"ann",
            b"Ann",
            b"ann,",
            b"{ann}",
            b"}:{ann",
            b"%61nn",
            b"\xff\xfe",
            b"\xff\xff",
            &long,
            &longer,
        ];
        for value in values {
            // A field's name has no case.
            let ask = |name| tollgate.get("/api/data", &[(name, value)]).status;
            let statuses = [ask("x-api-key"), ask("X-API-KEY"), ask("X-Api-Key")];
            assert_eq!(statuses, [200, 200, 429], "{}", value.escape_ascii());
        }
        // Who sends none shares a quota with all who do not.
        let ask = || tollgate.get("/api/data", &[]).status;
        assert_eq!([ask(), ask(), ask()], [200, 200, 429]);
    });
}

#[test]
fn a_policy_of_the_whole_world_is_shared_by_all() {
    on_each_store(|options| {
        let tollgate =
            options.config("[policies.default]\nquota = \"2/52 weeks\"\nkey = \"global\"").serve();
        let ask = |key: &[u8]| tollgate.get("/api/data", &[("x-api-key", key)]).status;
        assert_eq!([ask(b"a"), ask(b"b"), ask(b"c")], [200, 200, 429]);
    });
}

/// As in a rolling deploy that changes the window.
#[test]
fn two_processes_with_two_windows_each_keep_their_own_quota() {
    let server = Server::start();
    let start = |quota| {
        let options = Options::default().set("store.url", &server.url());
        options.set("policies.default.quota", quota).serve()
    };
    let mut processes = ["20/52 weeks", "5/51 weeks"].map(start);
    for tollgate in &mut processes {
        tollgate.wait_for_line("Counting under the key prefix \"tollgate\".");
    }
    let mut admitted = [0; 2];
    for _ in 0..60 {
        for (tollgate, admitted) in processes.iter().zip(&mut admitted) {
            *admitted += u32::from(tollgate.get("/api/data", &[]).status == 200);
        }
    }
    assert_eq!(admitted, [20, 5]);
}

#[test]
fn older_fields_are_sent_where_they_are_asked_for() {
    on_each_store(|options| {
        let tollgate = ten(options.set("headers.send", "draft-11,x-ratelimit"));
        let fields = |response: &Response| {
            ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
                .map(|name| response.header(name).expect(name).parse::<u64>().expect("a number"))
        };
        for left in (0..10).rev() {
            let response = tollgate.get("/api/data", &[]);
            let [limit, remaining, reset] = fields(&response);
            assert_eq!((response.status, limit, remaining), (200, 10, left));
            assert!((1..=31_449_600).contains(&reset));
        }
        let denied = tollgate.get("/api/data", &[]);
        let [limit, remaining, reset] = fields(&denied);
        assert_eq!((denied.status, limit, remaining), (429, 10, 0));
        assert_eq!(denied.header("retry-after"), Some(&*reset.to_string()));
        assert_eq!(fields(&tollgate.get("/api/status", &[]))[..2], [10, 0]);
    });
}

#[test]
fn scripts_in_browsers_may_read_the_fields_where_that_is_asked_for() {
    on_each_store(|options| {
        let options = options.set("headers.cors_expose", "true");
        let tollgate = options.set("policies.default.quota", "1/52 weeks").serve();
        let exposed = "RateLimit, RateLimit-Policy, Retry-After";
        for (path, status) in [("/api/data", 200), ("/api/data", 429), ("/api/status", 200)] {
            let response = tollgate.get(path, &[]);
            assert_eq!(response.status, status);
            assert_eq!(response.header("access-control-expose-headers"), Some(exposed));
        }
        assert_eq!(tollgate.get("/", &[]).header("access-control-expose-headers"), None);
    });
}

const TWO: &str = "[policies.short]\nquota = \"2/26 weeks\"\n\
     [policies.long]\nquota = \"10/52 weeks\"\nkey = \"ip\"\n\
     [routes.\"/api/data\"]\npolicies = [\"short\"]\npeek = [\"long\"]\n\
     [routes.\"/charged\"]\npolicies = [\"short\", \"long\"]\n\
     [routes.\"/api/status\"]\npeek = [\"short\", \"long\"]";

/// The names and what remains of each, out of RateLimit.
fn standings(response: &Response) -> Vec<(&str, u64)> {
    let field = response.header("ratelimit").expect("a RateLimit field");
    field
        .split(", ")
        .map(|item| {
            let mut parts = item.split(';');
            let name = parts.next().expect("a name").trim_matches('"');
            let remaining =
                parts.next().and_then(|it| it.strip_prefix("r=")).expect("what remains");
            (name, remaining.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn the_status_tells_where_its_caller_stands_under_every_policy_whichever_is_used_up() {
    on_each_store(|options| {
        let tollgate = options.set("headers.send", "draft-11,x-ratelimit").config(TWO).serve();
        for (short, long) in [(2, 10), (1, 9), (0, 8), (0, 8), (0, 8)] {
            let response = tollgate.get("/api/status", &[]);
            assert_eq!(response.status, 200);
            assert_eq!(standings(&response), [("short", short), ("long", long)]);
            let listed = r#""short";q=2;w=15724800, "long";q=10;w=31449600"#;
            assert_eq!(response.header("ratelimit-policy"), Some(listed));
            let waits = response.header("ratelimit").expect("a field").matches(";t=").count();
            assert_eq!(waits, if short == 2 { 0 } else { 2 }, "{response:?}");
            assert_eq!(response.header("x-ratelimit-remaining"), Some(&*short.to_string()));
            assert_eq!(response.header("retry-after"), None);
            tollgate.get("/charged", &[]);
        }
    });
}

#[test]
fn a_route_that_charges_and_reports_sends_each_field_once() {
    on_each_store(|options| {
        let options =
            options.set("headers.send", "draft-11,x-ratelimit").set("headers.cors_expose", "true");
        let tollgate = options.config(TWO).serve();
        for left in [1, 0] {
            let response = tollgate.get("/api/data", &[]);
            assert_eq!(response.status, 200);
            assert_eq!(standings(&response), [("short", left), ("long", 10)]);
            let listed = r#""short";q=2;w=15724800, "long";q=10;w=31449600"#;
            assert_eq!(response.header("ratelimit-policy"), Some(listed));
            assert_eq!(response.header("x-ratelimit-limit"), Some("2"));
            let exposed = "RateLimit, RateLimit-Policy, Retry-After, \
                           X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset";
            assert_eq!(response.header("access-control-expose-headers"), Some(exposed));
        }
        let denied = tollgate.get("/api/data", &[]);
        assert_eq!((denied.status, standings(&denied)), (429, vec![("short", 0)]));
    });
}

#[test]
fn of_two_policies_a_denial_by_one_does_not_charge_the_other() {
    on_each_store(|options| {
        let tollgate = options
            .config(
                "[policies.short]\nquota = \"2/26 weeks\"\n\
                 [policies.long]\nquota = \"10/52 weeks\"\nkey = \"ip\"\nalgorithm = \"sliding-log\"\n\
                 [routes.\"/api/data\"]\npolicies = [\"short\", \"long\"]\n\
                 [routes.\"/api/status\"]\npeek = [\"long\"]",
            )
            .serve();
        for left in [1, 0] {
            let response = tollgate.get("/api/data", &[]);
            assert_eq!(response.status, 200);
            let listed = r#""short";q=2;w=15724800, "long";q=10;w=31449600"#;
            assert_eq!(response.header("ratelimit-policy"), Some(listed));
            let standing = response.header("ratelimit").expect("both standings");
            let (short, long) = standing.split_once(", ").expect("two members");
            assert!(short.starts_with(&format!(r#""short";r={left};t="#)), "{standing}");
            assert!(long.starts_with(&format!(r#""long";r={};t="#, left + 8)), "{standing}");
        }
        for _ in 0..5 {
            let response = tollgate.get("/api/data", &[]);
            assert_eq!(response.status, 429);
            assert_eq!(json(&response)["violated-policies"], json!(["short"]));
            let wait = response.header("retry-after").expect("a wait");
            let standing = format!(r#""short";r=0;t={wait}"#);
            assert_eq!(response.header("ratelimit"), Some(&*standing));
            assert_eq!(remaining(&tollgate.get("/api/status", &[])), 8);
        }
    });
}

#[test]
fn every_algorithm_admits_its_quota_and_no_more() {
    on_each_store(|options| {
        let mut config = String::new();
        for name in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
            config +=
                &format!("[policies.{name}]\nquota = \"3/52 weeks\"\nalgorithm = \"{name}\"\n");
            config += &format!("[routes.\"/{name}\"]\npolicies = [\"{name}\"]\n");
        }
        let tollgate = options.config(&config).serve();
        for name in ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] {
            // There is nothing at the path, and the limit comes first.
            let ask = || tollgate.get(&format!("/{name}"), &[]).status;
            assert_eq!([ask(), ask(), ask(), ask()], [404, 404, 404, 429], "{name}");
        }
    });
}

#[test]
fn hashing_the_ids_of_users_leaves_addresses_and_counts_as_they_are() {
    let redis = Server::start();
    let options = |hash| {
        let options = Options::default().set("store.url", &redis.url());
        options.set("store.timeout_ms", "10000").set("store.hash_users", hash)
    };
    let (plain, hashing) = (ten(options("false")), ten(options("true")));
    for left in [8, 6, 4, 2, 0] {
        plain.get("/api/data", &[]);
        assert_eq!(remaining(&hashing.get("/api/data", &[])), left, "one count for both");
    }
    assert_eq!(plain.get("/api/data", &[]).status, 429);
    assert_eq!(hashing.get("/api/data", &[]).status, 429);
}
