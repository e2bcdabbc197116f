//! What answers report under `peek`, and in the older fields.

use tollgate::{Algorithm, Cost};

use super::{Door, Limit, OLDER, on_each_store, policy, through_each_door};
use tollgate_testkit::response::Response;

through_each_door! {
    a_route_that_peeks_tells_the_standing_and_charges_nothing,
    a_report_names_every_policy_also_where_some_are_used_up,
    a_check_and_a_report_are_told_as_one,
}

/// Of each field that tells of decisions, its only line.
fn told(seen: &Response) -> [Option<&str>; 6] {
    [
        "ratelimit-policy",
        "ratelimit",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "access-control-expose-headers",
    ]
    .map(|name| seen.header(name))
}

fn a_route_that_peeks_tells_the_standing_and_charges_nothing(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("default", "2/minute")]);
        let limiter = limiter.route("/data", ["default"], []).route("/status", [], ["default"]);
        let served = Limit::new(limiter).serve(door);
        for (used, standing) in [
            (0, r#""default";r=2"#),
            (1, r#""default";r=1;t=42"#),
            (2, r#""default";r=0;t=42"#),
            // Also where the gate is closed.
            (3, r#""default";r=0;t=42"#),
        ] {
            for _ in 0..3 {
                let seen = served.get("/status");
                assert_eq!((seen.status, seen.header("ratelimit")), (200, Some(standing)));
                assert_eq!(seen.header("ratelimit-policy"), Some(r#""default";q=2;w=60"#));
                assert_eq!(seen.header("retry-after"), None);
                assert_eq!(seen.header("cache-control"), None);
            }
            let expected = if used < 2 { 200 } else { 429 };
            assert_eq!(served.get("/data").status, expected);
        }
    });
}

fn a_report_names_every_policy_also_where_some_are_used_up(door: Door) {
    on_each_store(|counts| {
        let bucket = Algorithm::TokenBucket { burst: 2 };
        let bucket = policy("bucket", "6/minute").with_algorithm(bucket).expect("a bucket");
        let names = ["hour", "bucket", "minute"];
        let limiter =
            counts.limiter([policy("hour", "5/hour"), bucket, policy("minute", "2/minute")]);
        let cost = Cost::new(9).expect("a cost");
        let limiter = limiter.route("/data", names, []).route("/status", [], names).route_of_cost(
            cost,
            "/dear",
            [],
            names,
        );
        let served = Limit { formats: OLDER, ..Limit::new(limiter) }.serve(door);
        // (RateLimit, and the limit, remaining and reset of the older fields)
        for (standing, older) in [
            (r#""hour";r=5, "bucket";r=2, "minute";r=2"#, ["2", "2", "0"]),
            (r#""hour";r=4;t=3582, "bucket";r=1;t=10, "minute";r=1;t=42"#, ["2", "1", "42"]),
            // Each until it is whole again, which the bucket could pass a request long before.
            (r#""hour";r=3;t=3582, "bucket";r=0;t=20, "minute";r=0;t=42"#, ["2", "0", "42"]),
            (r#""hour";r=3;t=3582, "bucket";r=0;t=20, "minute";r=0;t=42"#, ["2", "0", "42"]),
        ] {
            // Also where the route costs more than any of them ever admits.
            for path in ["/status", "/dear"] {
                let seen = served.get(path);
                assert_eq!((seen.status, seen.header("ratelimit")), (200, Some(standing)));
                let policies =
                    r#""hour";q=5;w=3600, "bucket";q=6;w=60;tollgate-burst=2, "minute";q=2;w=60"#;
                assert_eq!(told(&seen)[0], Some(policies));
                assert_eq!(told(&seen)[2..5], older.map(Some), "{path}");
                assert_eq!(seen.header("retry-after"), None);
            }
            served.get("/data");
        }
    });
}

fn a_check_and_a_report_are_told_as_one(door: Door) {
    on_each_store(|counts| {
        let limiter = counts.limiter([policy("charged", "2/minute"), policy("told", "2/hour")]);
        let limiter = limiter.route("/", ["charged"], ["told"]).route("/other", ["told"], []);
        let limit = Limit { formats: OLDER, expose: true, ..Limit::new(limiter) };
        let served = limit.serve(door);
        let exposed = Some(
            "RateLimit, RateLimit-Policy, Retry-After, \
             X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
        );
        let policies = Some(r#""charged";q=2;w=60, "told";q=2;w=3600"#);
        let seen = served.get("/");
        let standing = Some(r#""charged";r=1;t=42, "told";r=2"#);
        let older = [Some("2"), Some("1"), Some("42")];
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
        // The policy that is closest to denying is then one that is only told of.
        assert_eq!(served.statuses("/other", 3), [200, 200, 429]);
        let seen = served.get("/");
        assert_eq!(seen.status, 200, "a report denies nothing");
        let standing = Some(r#""charged";r=0;t=42, "told";r=0;t=3582"#);
        let older = [Some("2"), Some("0"), Some("42")];
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
        // A denial names what denies, and nothing besides.
        let seen = served.get("/");
        let policies = Some(r#""charged";q=2;w=60"#);
        let standing = Some(r#""charged";r=0;t=42"#);
        assert_eq!(seen.status, 429);
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
    });
}
