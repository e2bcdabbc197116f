//! Keys of more kinds, and of more than one part: which requests share a quota.

use tollgate::{KeySource, Policy};

use super::{Counts, Door, Limit, Served, on_each_store, policy, through_each_door};

through_each_door! {
    each_part_of_a_request_is_counted_apart,
    all_parts_of_a_key_count_together,
    a_request_without_a_part_shares_one_count,
    crafted_values_imitate_no_others,
    a_segment_is_one_however_it_is_encoded,
    one_policy_counts_fifty_routes_apart,
    a_plan_holds_for_each_key_of_its_user,
}

fn keyed(key: &str) -> Policy {
    policy("default", "1/day").with_key(key.parse().expect(key))
}

/// Serves `/items/{id}` and all other paths under a policy of one request a day by `key`.
fn served(counts: &Counts, key: &str, door: Door) -> Served {
    let limiter = counts.limiter([keyed(key)]);
    let limiter = limiter.route("/items/{id}", ["default"], []).route("/*", ["default"], []);
    Limit::new(limiter).serve(door)
}

/// A path and header fields, and the status of that request.
type Asked = (&'static str, &'static [(&'static str, &'static str)], u16);

fn expect(key: &str, served: &Served, requests: &[Asked]) {
    for (path, headers, status) in requests {
        let seen = served.ask("GET", path, headers).status;
        assert_eq!(seen, *status, "by {key}: {path} {headers:?}");
    }
}

fn each_part_of_a_request_is_counted_apart(door: Door) {
    let cases: [(&str, &[Asked]); 6] = [
        (
            "query:key",
            &[
                ("/?key=a", &[], 200),
                ("/?key=b", &[], 200),
                ("/x?y=1&k%65y=a", &[], 429),
                ("/?Key=a", &[], 200),
            ],
        ),
        (
            "cookie:session",
            &[
                ("/", &[("cookie", "session=a")], 200),
                ("/", &[("cookie", "session=b")], 200),
                ("/", &[("cookie", "x=1; session=a")], 429),
                // Lines of cookies are one list.
                ("/", &[("cookie", "x=1"), ("cookie", "session=b")], 429),
            ],
        ),
        (
            "host",
            &[
                ("/", &[("host", "a.example")], 200),
                ("/", &[("host", "b.example")], 200),
                ("/", &[("host", "A.Example.:8080")], 429),
            ],
        ),
        ("segment:id", &[("/items/1", &[], 200), ("/items/2", &[], 200), ("/items/1?x", &[], 429)]),
        ("route", &[("/items/1", &[], 200), ("/x", &[], 200), ("/items/2", &[], 429)]),
        (
            "claim:org",
            &[
                ("/", &[("x-user", "ann"), ("x-claim", "acme")], 200),
                ("/", &[("x-user", "bob"), ("x-claim", "other")], 200),
                ("/", &[("x-user", "bob"), ("x-claim", "acme")], 429),
            ],
        ),
    ];
    on_each_store(|counts| {
        for (key, requests) in cases {
            expect(key, &served(counts, key, door), requests);
        }
    });
}

fn all_parts_of_a_key_count_together(door: Door) {
    let requests: [Asked; 5] = [
        ("/items/1", &[("x-user", "ann"), ("x-tenant", "acme")], 200),
        ("/items/1", &[("x-user", "bob"), ("x-tenant", "acme")], 200),
        ("/items/1", &[("x-user", "ann"), ("x-tenant", "other")], 200),
        ("/items/2", &[("x-user", "ann"), ("x-tenant", "acme")], 200),
        ("/items/1", &[("x-user", "ann"), ("x-tenant", "acme")], 429),
    ];
    on_each_store(|counts| {
        let key = "user,header:x-tenant,segment:id";
        expect(key, &served(counts, key, door), &requests);
    });
}

fn a_request_without_a_part_shares_one_count(door: Door) {
    let cases: [(&str, &[Asked]); 6] = [
        // One that is repeated counts as missing, since applications differ in which of them they take.
        (
            "query:key",
            &[
                ("/", &[], 200),
                ("/?key=a&key=b", &[], 429),
                ("/?key=c&key=c", &[], 429),
                ("/?key=", &[], 200),
            ],
        ),
        ("cookie:s", &[("/", &[], 200), ("/", &[("cookie", "x=1")], 429)]),
        ("host", &[("/", &[("host", "a..")], 200), ("/", &[("host", "b..")], 429)]),
        ("segment:id", &[("/x", &[], 200), ("/y/z", &[], 429)]),
        ("claim:org", &[("/", &[], 200), ("/", &[("x-user", "ann")], 429)]),
        (
            "user,header:x-a",
            &[
                ("/", &[], 200),
                ("/", &[("x-a", "1")], 200),
                ("/", &[("x-user", "ann")], 200),
                ("/", &[], 429),
            ],
        ),
    ];
    let counts = Counts::in_memory();
    for (key, requests) in cases {
        expect(key, &served(&counts, key, door), requests);
    }
}

fn crafted_values_imitate_no_others(door: Door) {
    let long = "z".repeat(2_000);
    let longer = format!("{long}z");
    let crafted = [
        "a",
        "a,header:x-b:b",
        "a%2Cheader:x-b:b",
        "}",
        "}:default:f1m",
        "{a}",
        "ip",
        "user:ann",
        "#",
        "parts:#0",
        "%00",
        "%ff",
        "a:b",
        "a:",
        ":",
        "*",
        &long,
        &longer,
    ];
    let counts = Counts::in_memory();
    for key in ["header:x-a", "header:x-a,header:x-b"] {
        let served = served(&counts, key, door);
        for value in crafted {
            let ask = || served.ask("GET", "/", &[("x-a", value)]).status;
            assert_eq!([ask(), ask()], [200, 429], "by {key}: {value}");
        }
        // Nor does a value in another field.
        for value in crafted {
            let seen = served.ask("GET", "/", &[("x-b", value)]).status;
            let is_first = key != "header:x-a" || value == crafted[0];
            assert_eq!(seen, if is_first { 200 } else { 429 }, "by {key}: {value}");
        }
    }
    let served = served(&counts, "query:a,segment:id", door);
    for (path, status) in [
        ("/items/1?a=%00", 200),
        ("/items/1?a=%2500", 200),
        ("/items/1?a=%ff", 200),
        ("/items/1?a=%7D%7B", 200),
        ("/items/1?a=1%2Csegment:id:2", 200),
        ("/items/2?a=1", 200),
        ("/items/1?a=1", 200),
        ("/items/1?a=%00", 429),
    ] {
        assert_eq!(served.get(path).status, status, "{path}");
    }
}

fn a_segment_is_one_however_it_is_encoded(door: Door) {
    let served = served(&Counts::in_memory(), "segment:id", door);
    for (path, status) in [
        ("/items/abc", 200),
        ("/items/%61bc", 429),
        ("/items/ab%63", 429),
        ("/items/a%2Fc", 200),
        ("/items/a%2fc", 429),
        ("/items/%7Bid%7D", 200),
    ] {
        assert_eq!(served.get(path).status, status, "{path}");
    }
}

fn one_policy_counts_fifty_routes_apart(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter([keyed("ip,route")]);
        let patterns = (0..50).map(|number| format!("/r{number}/{{id}}"));
        let limiter = patterns.fold(limiter, |limiter, it| limiter.route(it, ["default"], []));
        let limiter = limiter.route("POST /r0/{id}", ["default"], []);
        let served = Limit::new(limiter).serve(door);
        let statuses = |id: u32| -> Vec<u16> {
            (0..50).map(|number| served.get(&format!("/r{number}/{id}")).status).collect()
        };
        assert_eq!(statuses(1), [200; 50]);
        assert_eq!(statuses(2), [429; 50]);
        assert_eq!(served.ask("POST", "/r0/1", &[]).status, 200);
        assert_eq!(served.ask("HEAD", "/r0/1", &[]).status, 429);
    });
}

fn a_plan_holds_for_each_key_of_its_user(door: Door) {
    let key: KeySource = "user,header:x-tenant".parse().expect("a key");
    let plan = policy("default", "1/minute").with_plan("pro", "2/minute".parse().expect("a quota"));
    let limiter = Counts::in_memory().limiter([plan.expect("a plan").with_key(key)]);
    let served = Limit::by(limiter, ["default"]).serve(door);
    for tenant in ["a", "b"] {
        let ask = |plan: &str| {
            let lines = [("x-user", "ann"), ("x-tenant", tenant), ("x-plan", plan)];
            served.ask("GET", "/", &lines).status
        };
        assert_eq!([ask("pro"), ask("pro"), ask("pro")], [200, 200, 429], "{tenant}");
    }
    let without_plan = || served.ask("GET", "/", &[("x-user", "bob"), ("x-tenant", "a")]).status;
    assert_eq!([without_plan(), without_plan()], [200, 429]);
}
