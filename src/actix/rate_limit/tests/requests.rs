//! Requests without an address, settings that are wrong, and handlers that fail.

use std::fmt;

use actix_web::ResponseError;
use actix_web::http::StatusCode;

use super::*;
use crate::limiter::LimiterError;

#[test]
fn a_policy_that_does_not_exist_is_an_error_before_anything_is_served() {
    let rate_limit = || RateLimit::new(in_memory([policy("a", "9/minute")]).build().unwrap());
    let error = rate_limit().policies(["a", "other"]).unwrap_err();
    assert_eq!(error, LimiterError::UnknownPolicy("other".into()));
    let error = rate_limit().policies(["a", "a"]).unwrap_err();
    assert_eq!(error, LimiterError::DuplicatePolicy("a".into()));
}

#[test]
fn a_request_without_an_address_is_on_no_list_and_shares_one_quota() {
    run(async {
        let everyone = ["0.0.0.0/0", "::/0"].map(|text| text.parse().unwrap());
        let limiter = in_memory([policy("default", "1/minute")]).block(everyone).build().unwrap();
        let rate_limit = RateLimit::new(limiter).policies(["default"]).unwrap();
        let app = init_service(ok(rate_limit)).await;
        // As over a Unix socket.
        assert_eq!(statuses!(&app, "/", 2), [200, 429]);
    });
}

#[derive(Debug)]
struct Teapot;

impl fmt::Display for Teapot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("short and stout")
    }
}

impl ResponseError for Teapot {
    fn status_code(&self) -> StatusCode {
        StatusCode::IM_A_TEAPOT
    }
}

#[test]
fn the_errors_of_handlers_pass_through_and_are_counted() {
    run(async {
        let handler = || async { Err::<HttpResponse, _>(Teapot) };
        let app = App::new().wrap(default_of("2/minute")).route("/", web::get().to(handler));
        let app = init_service(app).await;
        for standing in [r#""default";r=1;t=42"#, r#""default";r=0;t=42"#] {
            let seen = send(&app, TestRequest::get().to_request()).await;
            assert_eq!((seen.status, &*seen.body), (418, "short and stout"));
            assert_eq!(seen.field("ratelimit"), Some(standing));
        }
        assert_eq!(statuses!(&app, "/", 1), [429]);
    });
}

#[test]
fn the_errors_of_a_middleware_inside_stay_what_they_are() {
    run(async {
        let app = App::new()
            .wrap_fn(|_, _| async { Err::<ServiceResponse, Error>(Teapot.into()) })
            .wrap(default_of("2/minute"));
        let app = init_service(app).await;
        let error = app.call(TestRequest::get().to_request()).await.map(drop).unwrap_err();
        assert!(error.as_error::<Teapot>().is_some(), "{error:?}");
    });
}
