use http_body::Body as _;

use super::*;

/// One request at a time.
fn one_at_a_time() -> RateLimitLayer {
    let policy = policy("default", "9/minute").with_key(KeySource::Ip);
    let policy = policy.with_in_flight(1, 30_000).unwrap();
    let limiter = Limiter::builder(memory()).policy(policy).build().unwrap();
    RateLimitLayer::new(limiter).policies(["default"]).unwrap()
}

#[test]
fn a_request_holds_its_slot_to_the_end_of_its_response() {
    let body = |request: Inbound| {
        let text = if request.uri().path() == "/empty" { "" } else { "Hello" };
        ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text))))
    };
    let mut service = one_at_a_time().layer(service_fn(body));
    let mut send = |path| block_on(service.call(request(path))).unwrap();
    let first = send("/");
    assert_eq!(first.status(), 200);
    let denied = send("/");
    assert_eq!((denied.status().as_u16(), denied.headers().get("retry-after")), (429, None));
    drop(first);
    let mut second = send("/");
    assert_eq!(second.status(), 200);
    let frame = block_on(second.body_mut().frame()).unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "Hello");
    let third = send("/");
    assert_eq!(third.status(), 200, "the last frame of the second went out");
    assert!(!third.body().is_end_stream());
    drop(third);
    let empty = send("/empty");
    assert_eq!(send("/").status(), 200, "it has ended");
    drop(empty);
}
