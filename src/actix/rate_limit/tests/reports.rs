//! What answers report under `peek`: where the client stands, whatever would be denied.

use super::*;
use crate::domain::algorithm::Algorithm;

/// Of each field that tells of decisions, its only line.
fn told(seen: &Seen) -> [Option<&str>; 6] {
    ["ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining"]
        .into_iter()
        .chain(["x-ratelimit-reset", "access-control-expose-headers"])
        .map(|name| seen.field(name))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn a_report_names_every_policy_also_where_some_are_used_up() {
    run(async {
        let bucket = policy("bucket", "6/minute");
        let bucket = bucket.with_algorithm(Algorithm::TokenBucket { burst: 2 }).unwrap();
        let limiter = in_memory([policy("hour", "5/hour"), bucket, policy("minute", "2/minute")])
            .route("/data", ["hour", "bucket", "minute"], [])
            .route("/status", [], ["hour", "bucket", "minute"])
            .route_of_cost(Cost::new(9).unwrap(), "/dear", [], ["hour", "bucket", "minute"]);
        let app = ok(RateLimit::new(limiter.build().unwrap()).legacy_headers(true));
        let app = init_service(app).await;
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
                let seen = send(&app, TestRequest::with_uri(path).to_request()).await;
                assert_eq!((seen.status, seen.field("ratelimit")), (200, Some(standing)), "{path}");
                let policies =
                    r#""hour";q=5;w=3600, "bucket";q=6;w=60;tollgate-burst=2, "minute";q=2;w=60"#;
                assert_eq!(told(&seen)[0], Some(policies));
                assert_eq!(told(&seen)[2..5], older.map(Some), "{path}");
                assert_eq!(seen.field("retry-after"), None);
            }
            statuses!(&app, "/data", 1);
        }
    });
}

#[test]
fn a_check_and_a_report_are_told_as_one() {
    run(async {
        let limiter = in_memory([policy("charged", "2/minute"), policy("told", "2/hour")])
            .route("/", ["charged"], ["told"])
            .route("/other", ["told"], []);
        let rate_limit = RateLimit::new(limiter.build().unwrap());
        let app = ok(rate_limit.legacy_headers(true).expose_headers(true));
        let app = init_service(app).await;
        let exposed = Some(
            "RateLimit, RateLimit-Policy, Retry-After, \
             X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
        );
        let policies = Some(r#""charged";q=2;w=60, "told";q=2;w=3600"#);
        let seen = send(&app, TestRequest::get().to_request()).await;
        let standing = Some(r#""charged";r=1;t=42, "told";r=2"#);
        let older = [Some("2"), Some("1"), Some("42")];
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
        // The policy that is closest to denying is then one that is only told of.
        assert_eq!(statuses!(&app, "/other", 3), [200, 200, 429]);
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!(seen.status, 200, "a report denies nothing");
        let standing = Some(r#""charged";r=0;t=42, "told";r=0;t=3582"#);
        let older = [Some("2"), Some("0"), Some("42")];
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
        // A denial names what denies, and nothing besides.
        let seen = send(&app, TestRequest::get().to_request()).await;
        let policies = Some(r#""charged";q=2;w=60"#);
        let standing = Some(r#""charged";r=0;t=42"#);
        assert_eq!(seen.status, 429);
        assert_eq!(told(&seen), [policies, standing, older[0], older[1], older[2], exposed]);
    });
}

#[test]
fn what_is_exposed_is_named_once() {
    run(async {
        let exposing = |name: &str| {
            let limiter = in_memory([policy(name, "9/minute")]).build().unwrap();
            RateLimit::new(limiter).policies([name]).unwrap().expose_headers(true)
        };
        let host = || async {
            let exposed = ("access-control-expose-headers", "ETag, ratelimit");
            HttpResponse::Ok().insert_header(exposed).finish()
        };
        let app = App::new()
            .wrap(exposing("inner"))
            .wrap(exposing("outer").legacy_headers(true))
            .route("/", web::get().to(host));
        let app = init_service(app).await;
        let seen = send(&app, TestRequest::get().to_request()).await;
        let lines = [
            "ETag, ratelimit",
            "RateLimit-Policy, Retry-After",
            "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
        ];
        assert_eq!(seen.all("access-control-expose-headers"), lines);
    });
}
