//! Own bodies of denials, through every door.

use tollgate::{RefusalBodies, Refusals};

use super::{Door, Limit, behind_a_proxy, on_each_store, through_each_door};

through_each_door! {
    a_denied_client_gets_the_body_that_it_likes_best,
    an_id_of_a_request_is_shown_if_a_trusted_proxy_sent_it,
}

fn refusals() -> Refusals {
    let bodies = RefusalBodies::new().text("Wait {retry_after} s for {policy}: {request_id}.");
    let bodies = bodies.and_then(|it| it.html("<p id=\"{request_id}\">{quota}</p>"));
    Refusals::new(bodies.expect("known variables"))
}

fn a_denied_client_gets_the_body_that_it_likes_best(door: Door) {
    on_each_store(|counts| {
        let limit = Limit { refusals: Some(refusals()), ..counts.default_of("1/minute") };
        let served = limit.serve(door);
        let passes = served.ask("GET", "/", &[("accept", "text/plain")]);
        assert_eq!((passes.status, passes.header("vary")), (200, None));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, media_type, body) in [
            ("text/plain", "text/plain; charset=utf-8", "Wait 42 s for default: ."),
            (browser, "text/html; charset=utf-8", "<p id=\"\">1/minute</p>"),
        ] {
            let seen = served.ask("GET", "/", &[("accept", accept)]);
            assert_eq!((seen.status, &*seen.body), (429, body));
            assert_eq!(seen.header("content-type"), Some(media_type));
            assert_eq!(seen.header("vary"), Some("Accept"));
            assert_eq!(seen.header("cache-control"), Some("no-store"));
            assert_eq!(seen.header("retry-after"), Some("42"));
            let head = served.ask("HEAD", "/", &[("accept", accept)]);
            assert_eq!((head.status, &*head.body), (429, ""));
            assert_eq!(head.header("content-type"), Some(media_type));
        }
        for accept in ["*/*", "application/json"] {
            let seen = served.ask("GET", "/", &[("accept", accept)]);
            assert_eq!(seen.header("content-type"), Some("application/json"));
            assert!(seen.body.contains("quota-exceeded"), "{}", seen.body);
        }
    });
}

fn an_id_of_a_request_is_shown_if_a_trusted_proxy_sent_it(door: Door) {
    on_each_store(|counts| {
        for (client_ip, shown) in
            [(behind_a_proxy(), "7&lt;&quot;a"), (tollgate::ClientIp::peer(), "")]
        {
            let limit =
                Limit { client_ip, refusals: Some(refusals()), ..counts.default_of("1/minute") };
            let served = Limit { request_id_header: Some("x-request-id"), ..limit }.serve(door);
            let fields =
                [("accept", "text/html"), ("x-request-id", "7<\"a"), ("x-real-ip", "203.0.113.7")];
            assert_eq!(served.ask("GET", "/", &fields).status, 200);
            let seen = served.ask("GET", "/", &fields);
            assert_eq!(seen.body, format!("<p id=\"{shown}\">1/minute</p>"));
        }
    });
}
