//! A user's quota is that of the user or of the plan, and the application says both.

use super::{Counts, Door, Limit, on_each_store, policy, through_each_door};

through_each_door! {
    the_plan_of_the_user_says_how_much,
    a_plan_that_changes_keeps_what_was_used,
    each_quota_of_a_policy_is_told_and_none_to_who_is_unlimited,
}

/// A policy `default` of 2 a minute, 4 for the plan `pro`, and 3 for user 7.
fn with_plans(counts: &Counts) -> Limit {
    let quota = |text: &str| text.parse().expect("a quota");
    let policy = policy("default", "2/minute").with_plan("pro", quota("4/minute"));
    let policy = policy.and_then(|it| it.with_user("7", quota("3/minute"))).expect("a policy");
    Limit::new(counts.limiter([policy]).route("/*", ["default"], []))
}

fn lines<'a>(user: &'a str, plan: &'a str) -> Vec<(&'a str, &'a str)> {
    let lines = [("x-user", user), ("x-plan", plan)];
    lines.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn the_plan_of_the_user_says_how_much(door: Door) {
    on_each_store(|counts| {
        let served = with_plans(counts).serve(door);
        for (user, plan, quota) in [
            ("1042", "pro", 4),
            ("1043", "", 2),
            ("1044", "unheard-of", 2),
            ("7", "pro", 3),
            ("", "", 2),
        ] {
            let seen: Vec<_> = (0..5).map(|_| served.ask("GET", "/", &lines(user, plan))).collect();
            let admitted = seen.iter().filter(|seen| seen.status == 200).count();
            assert_eq!(admitted, quota, "{user}");
            // The policy has one name, and whoever asks learns the own numbers.
            for seen in seen {
                let policy = format!(r#""default";q={quota};w=60"#);
                assert_eq!(seen.header("ratelimit-policy"), Some(&*policy), "{user}");
                let allows = format!(r#"Policy \"default\" allows {quota} requests per 60 s."#);
                assert_eq!(seen.body.contains(&allows), seen.status == 429, "{}", seen.body);
            }
        }
    });
}

fn a_plan_that_changes_keeps_what_was_used(door: Door) {
    on_each_store(|counts| {
        let served = with_plans(counts).serve(door);
        for (plan, status, standing) in [
            ("", 200, r#""default";r=1;t=42"#),
            ("", 200, r#""default";r=0;t=42"#),
            ("", 429, r#""default";r=0;t=42"#),
            ("pro", 200, r#""default";r=1;t=42"#),
            ("pro", 200, r#""default";r=0;t=42"#),
            ("pro", 429, r#""default";r=0;t=42"#),
            ("", 429, r#""default";r=0;t=42"#),
        ] {
            let seen = served.ask("GET", "/", &lines("1042", plan));
            assert_eq!((seen.status, seen.header("ratelimit")), (status, Some(standing)));
        }
    });
}

fn each_quota_of_a_policy_is_told_and_none_to_who_is_unlimited(door: Door) {
    on_each_store(|counts| {
        let quota = |text: &str| text.parse().expect("a quota");
        let several =
            policy("default", "9/2 hours").with_further_quota("2/minute".parse().expect("one"));
        let several = several.and_then(|it| it.with_plan("pro", quota("unlimited")));
        let limiter = counts.limiter([several.expect("a policy")]);
        let served = Limit::new(limiter.route("/*", ["default"], [])).serve(door);
        for (status, left, violated) in [(200, 1, None), (200, 0, None), (429, 0, Some("default"))]
        {
            let seen = served.ask("GET", "/", &lines("1042", ""));
            assert_eq!(seen.status, status);
            let policies = r#""default";q=9;w=7200, "default/minute";q=2;w=60"#;
            assert_eq!(seen.header("ratelimit-policy"), Some(policies));
            let standings = seen.header("ratelimit").expect("a field");
            let of_minute = format!(r#""default/minute";r={left};t=42"#);
            assert!(standings.ends_with(&of_minute), "{standings}");
            assert_eq!(standings.contains("\"default\""), status == 200, "{standings}");
            if let Some(name) = violated {
                let names = format!(r#""violated-policies":["{name}"]"#);
                assert!(seen.body.contains(&names), "{}", seen.body);
            }
        }
        for _ in 0..12 {
            let seen = served.ask("GET", "/", &lines("1043", "pro"));
            assert_eq!((seen.status, seen.header("ratelimit-policy")), (200, None));
        }
    });
}
