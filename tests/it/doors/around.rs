//! A limit around another: both count, and their fields are one list.

use super::{Counts, Door, Limit, OLDER, on_each_store, policy, through_each_door};

through_each_door! {
    one_around_another_both_count_and_their_fields_are_one_list,
    the_older_fields_are_of_the_limit_that_is_closer_to_denying,
    what_is_exposed_is_named_once,
    an_inner_limit_that_blocks_leaves_the_fields_of_the_outer_one,
}

fn limit(counts: &Counts, name: &'static str, quota: &str) -> Limit {
    Limit::by(counts.limiter([policy(name, quota)]), [name])
}

fn one_around_another_both_count_and_their_fields_are_one_list(door: Door) {
    on_each_store(|counts| {
        let inner = limit(counts, "inner", "2/minute");
        let served = inner.serve_within(limit(counts, "outer", "4/hour"), door);
        let seen = served.get("/");
        assert_eq!(seen.status, 200);
        assert_eq!(seen.all("ratelimit-policy"), [r#""inner";q=2;w=60"#, r#""outer";q=4;w=3600"#]);
        assert_eq!(seen.all("ratelimit"), [r#""inner";r=1;t=42"#, r#""outer";r=3;t=3582"#]);

        served.get("/");
        let seen = served.get("/");
        assert_eq!(
            (seen.status, seen.header("retry-after")),
            (429, Some("42")),
            "by the inner one"
        );
        assert_eq!(seen.all("ratelimit"), [r#""inner";r=0;t=42"#, r#""outer";r=1;t=3582"#]);

        served.get("/");
        let seen = served.get("/");
        let by_outer = (429, Some("3582"));
        assert_eq!((seen.status, seen.header("retry-after")), by_outer);
        assert_eq!(seen.header("ratelimit"), Some(r#""outer";r=0;t=3582"#), "inner was not asked");
        assert_eq!(served.reached(), 2);
    });
}

fn the_older_fields_are_of_the_limit_that_is_closer_to_denying(door: Door) {
    let counts = Counts::in_memory();
    let legacy = |name, quota| Limit { formats: OLDER, ..limit(&counts, name, quota) };
    for (outer, inner) in [("9/minute", "1/minute"), ("2/minute", "9/minute")] {
        let served = legacy("inner", inner).serve_within(legacy("outer", outer), door);
        let denied = (0..10).map(|_| served.get("/")).find(|seen| seen.status == 429);
        let seen = denied.expect("ten are more than either allows");
        assert_eq!(seen.header("x-ratelimit-remaining"), Some("0"), "{inner} in {outer}");
    }
}

fn what_is_exposed_is_named_once(door: Door) {
    on_each_store(|counts| {
        let exposing = |name| Limit { expose: true, ..limit(counts, name, "9/minute") };
        let outer = Limit { formats: OLDER, ..exposing("outer") };
        let served = exposing("inner").serve_within(outer, door);
        let seen = served.ask("GET", "/", &[("x-answer", "exposes")]);
        let lines = [
            "ETag, ratelimit",
            "RateLimit-Policy, Retry-After",
            "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
        ];
        assert_eq!(seen.all("access-control-expose-headers"), lines);
    });
}

fn an_inner_limit_that_blocks_leaves_the_fields_of_the_outer_one(door: Door) {
    on_each_store(|counts| {
        let blocking = counts.limiter([policy("inner", "9/minute")]);
        let blocking = blocking.block(["127.0.0.0/8".parse().expect("an entry")]);
        let inner = Limit::by(blocking, ["inner"]);
        let served = inner.serve_within(limit(counts, "outer", "9/minute"), door);
        let seen = served.get("/");
        assert_eq!((seen.status, served.reached()), (403, 0));
        assert_eq!(seen.header("ratelimit"), Some(r#""outer";r=8;t=42"#));
    });
}
