//! Around an app, a scope or a resource; with other middleware around it.

use actix_web::HttpMessage as _;

use super::*;

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
