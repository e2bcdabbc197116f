//! Around an app, a scope or a resource; with other middleware around it, and around another.

use actix_web::HttpMessage as _;

use super::*;

#[test]
fn the_eleventh_request_of_ten_is_denied_as_older_clients_know_it() {
    run(async {
        let app =
            App::new().wrap(default_of("10/minute")).route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        for remaining in (0..10).rev() {
            let seen = send(&app, TestRequest::get().to_request()).await;
            assert_eq!(seen.status, 200);
            assert_eq!(seen.field("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
            let standing = format!(r#""default";r={remaining};t=42"#);
            assert_eq!(seen.field("ratelimit"), Some(&*standing));
            assert_eq!(seen.field("retry-after"), None);
        }
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!(seen.status, 429);
        assert_eq!(seen.field("ratelimit-policy"), Some(r#""default";q=10;w=60"#));
        assert_eq!(seen.field("ratelimit"), Some(r#""default";r=0;t=42"#));
        assert_eq!(seen.field("retry-after"), Some("42"));
        assert_eq!(seen.field("cache-control"), Some("no-store"));
        assert_eq!(seen.field("content-type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(body["message"], "Too many requests. Please try again later.");
    });
}

#[test]
fn a_closed_gate_opens_when_it_said_and_not_a_millisecond_earlier() {
    run(async {
        let clock = Arc::new(ManualClock::new(NOW));
        let limiter = at(&clock, [policy("default", "1/minute")]).build().unwrap();
        let rate_limit = RateLimit::new(limiter).policies(["default"]).unwrap();
        let app = App::new().wrap(rate_limit).route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        assert_eq!(statuses!(&app, "/", 2), [200, 429]);
        clock.advance(41_999);
        let seen = send(&app, TestRequest::get().to_request()).await;
        assert_eq!((seen.status, seen.field("retry-after")), (429, Some("1")));
        clock.advance(1);
        assert_eq!(statuses!(&app, "/", 2), [200, 429]);
    });
}

#[test]
fn around_a_scope_it_limits_that_scope() {
    run(async {
        let scope = web::scope("/api")
            .wrap(default_of("2/minute"))
            .route("/one", web::get().to(HttpResponse::Ok))
            .route("/two", web::get().to(HttpResponse::Ok));
        let app = App::new().service(scope).route("/free", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        assert_eq!(statuses!(&app, "/api/one", 1), [200]);
        assert_eq!(statuses!(&app, "/api/two", 2), [200, 429]);
        assert_eq!(statuses!(&app, "/api/one", 1), [429]);
        assert_eq!(statuses!(&app, "/free", 4), [200; 4]);
    });
}

#[test]
fn around_a_resource_it_limits_that_resource() {
    run(async {
        let resource = web::resource("/one")
            .wrap(default_of("2/minute"))
            .route(web::get().to(HttpResponse::Ok));
        let app = App::new().service(resource).route("/free", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        assert_eq!(statuses!(&app, "/one", 3), [200, 200, 429]);
        assert_eq!(statuses!(&app, "/free", 4), [200; 4]);
    });
}

#[test]
fn the_routes_of_the_limiter_are_whole_paths_wherever_it_wraps() {
    run(async {
        let routes = || {
            let builder = in_memory([policy("default", "2/minute")]);
            RateLimit::new(builder.route("/api/one", ["default"], []).build().unwrap())
        };
        let scope = |path: &str| {
            web::scope(path)
                .route("/one", web::get().to(HttpResponse::Ok))
                .route("/two", web::get().to(HttpResponse::Ok))
        };
        let outside = init_service(App::new().wrap(routes()).service(scope("/api"))).await;
        let inside = init_service(App::new().service(scope("/api").wrap(routes()))).await;
        assert_eq!(statuses!(&outside, "/api/two", 3), [200; 3]);
        assert_eq!(statuses!(&outside, "/api/one", 1), [200]);
        // As the router reads a path, whatever the client wrote.
        assert_eq!(statuses!(&outside, "/api/%6fne", 1), [200]);
        assert_eq!(statuses!(&outside, "/%61%70i/one?x=1", 2), [429; 2]);
        assert_eq!(statuses!(&inside, "/api/two", 3), [200; 3]);
        assert_eq!(statuses!(&inside, "/api/one", 3), [200, 200, 429]);
    });
}

#[test]
fn paths_that_are_normalized_around_it_take_the_route_that_answers_them() {
    use actix_web::middleware::NormalizePath;
    run(async {
        let builder = in_memory([policy("default", "3/minute")]);
        let limiter = builder.route("/api/{name}", ["default"], []).build().unwrap();
        let app = App::new()
            .wrap(RateLimit::new(limiter))
            .wrap(NormalizePath::trim())
            .route("/api/{name}", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        assert_eq!(statuses!(&app, "/api/one", 1), [200]);
        assert_eq!(statuses!(&app, "//api//one", 1), [200]);
        assert_eq!(statuses!(&app, "/api/one//", 1), [200]);
        assert_eq!(statuses!(&app, "/api//one/", 1), [429]);
    });
}

#[test]
fn a_middleware_around_it_says_who_the_user_is() {
    run(async {
        let app = App::new()
            .wrap(default_of("2/minute"))
            .wrap_fn(|request, service| {
                let user = request.headers().get("x-user").map(|it| User::new(it.as_bytes()));
                if let Some(user) = user {
                    request.extensions_mut().insert(user);
                }
                service.call(request)
            })
            .route("/", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        let mut seen = Vec::new();
        for user in ["ann", "ann", "ann", "bob", "bob", "bob"] {
            let request = TestRequest::get().insert_header(("x-user", user));
            seen.push(send(&app, request.to_request()).await.status);
        }
        assert_eq!(seen, [200, 200, 429, 200, 200, 429]);
    });
}

#[test]
fn one_around_another_both_count_and_their_fields_are_one_list() {
    run(async {
        let app = App::new().service(
            web::scope("/api")
                .wrap(
                    RateLimit::new(in_memory([policy("inner", "2/minute")]).build().unwrap())
                        .policies(["inner"])
                        .unwrap(),
                )
                .route("/one", web::get().to(HttpResponse::Ok)),
        );
        let outer = in_memory([policy("outer", "4/hour")]).build().unwrap();
        let app = app.wrap(RateLimit::new(outer).policies(["outer"]).unwrap());
        let app = init_service(app).await;

        let one = || TestRequest::with_uri("/api/one").to_request();
        let seen = send(&app, one()).await;
        assert_eq!(seen.status, 200);
        assert_eq!(seen.all("ratelimit-policy"), [r#""inner";q=2;w=60"#, r#""outer";q=4;w=3600"#]);
        assert_eq!(seen.all("ratelimit"), [r#""inner";r=1;t=42"#, r#""outer";r=3;t=3582"#]);

        send(&app, one()).await;
        let seen = send(&app, one()).await;
        assert_eq!((seen.status, seen.field("retry-after")), (429, Some("42")), "by the inner one");
        assert_eq!(seen.all("ratelimit"), [r#""inner";r=0;t=42"#, r#""outer";r=1;t=3582"#]);

        send(&app, one()).await;
        let seen = send(&app, one()).await;
        assert_eq!(
            (seen.status, seen.field("retry-after")),
            (429, Some("3582")),
            "by the outer one"
        );
        assert_eq!(
            seen.field("ratelimit"),
            Some(r#""outer";r=0;t=3582"#),
            "the inner was not asked"
        );
    });
}

#[test]
fn the_older_fields_of_one_around_another_are_of_the_one_that_is_closer_to_denying() {
    run(async {
        let legacy = |name: &str, quota: &str| {
            let limiter = in_memory([policy(name, quota)]).build().unwrap();
            RateLimit::new(limiter).policies([name]).unwrap().legacy_headers(true)
        };
        for (outer, inner) in [("9/minute", "1/minute"), ("2/minute", "9/minute")] {
            let app = App::new()
                .wrap(legacy("inner", inner))
                .wrap(legacy("outer", outer))
                .route("/", web::get().to(HttpResponse::Ok));
            let app = init_service(app).await;
            let mut seen = send(&app, TestRequest::get().to_request()).await;
            while seen.status == 200 {
                seen = send(&app, TestRequest::get().to_request()).await;
            }
            assert_eq!(seen.field("x-ratelimit-remaining"), Some("0"), "{inner} in {outer}");
        }
    });
}
