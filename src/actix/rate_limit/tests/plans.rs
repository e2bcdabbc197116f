//! A user's quota is that of the user or of the plan, and the host application says both.

use actix_web::HttpMessage as _;

use super::*;

/// The middleware over a policy `default` of 2 a minute, 4 for the plan `pro`, and 3 for user 7.
fn with_plans() -> RateLimit {
    let policy = policy("default", "2/minute").with_plan("pro", "4/minute".parse().unwrap());
    let policy = policy.unwrap().with_user("7", "3/minute".parse().unwrap()).unwrap();
    RateLimit::new(in_memory([policy]).route("/*", ["default"], []).build().unwrap())
}

/// What `count` requests of `user` see, one after another.
macro_rules! asked {
    ($app:expr, $user:expr, $count:expr) => {{
        let mut seen = Vec::new();
        for _ in 0..$count {
            let request = TestRequest::get().to_request();
            if let Some(user) = $user {
                request.extensions_mut().insert(User::clone(&user));
            }
            seen.push(send($app, request).await);
        }
        seen
    }};
}

#[test]
fn the_plan_of_the_user_says_how_much() {
    run(async {
        let app = init_service(ok(with_plans())).await;
        for (user, quota) in [
            (Some(User::new("1042").with_plan("pro")), 4),
            (Some(User::new("1043")), 2),
            (Some(User::new("1044").with_plan("unheard-of")), 2),
            (Some(User::new("7").with_plan("pro")), 3),
            (None, 2),
        ] {
            let seen = asked!(&app, user.as_ref(), 5);
            let admitted = seen.iter().filter(|seen| seen.status == 200).count();
            assert_eq!(admitted, quota, "{user:?}");
            // The policy has one name, and whoever asks learns the own numbers.
            for seen in seen {
                let policy = format!(r#""default";q={quota};w=60"#);
                assert_eq!(seen.field("ratelimit-policy"), Some(&*policy), "{user:?}");
                let allows = format!(r#"Policy \"default\" allows {quota} requests per 60 s."#);
                assert_eq!(seen.body.contains(&allows), seen.status == 429, "{}", seen.body);
            }
        }
    });
}

#[test]
fn a_plan_that_changes_keeps_what_was_used() {
    run(async {
        let app = init_service(ok(with_plans())).await;
        let (free, pro) = (User::new("1042"), User::new("1042").with_plan("pro"));
        let mut seen = Vec::new();
        for user in [&free, &free, &free, &pro, &pro, &pro, &free] {
            let seen_now = asked!(&app, Some(user), 1).remove(0);
            seen.push((seen_now.status, seen_now.field("ratelimit").unwrap().to_owned()));
        }
        let expected = [
            (200, r#""default";r=1;t=42"#),
            (200, r#""default";r=0;t=42"#),
            (429, r#""default";r=0;t=42"#),
            (200, r#""default";r=1;t=42"#),
            (200, r#""default";r=0;t=42"#),
            (429, r#""default";r=0;t=42"#),
            (429, r#""default";r=0;t=42"#),
        ];
        assert_eq!(seen, expected.map(|(status, field)| (status, field.to_owned())));
    });
}
