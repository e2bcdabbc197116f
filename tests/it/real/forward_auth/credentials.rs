//! Credentials pass through, and are verified by the gate as they are by the app.

use super::site::{CLIENT, OTHER, Proxy, Site, WhenSilent};
use crate::support::process::Options;

super::through_each_proxy![
    a_key_is_its_user_from_wherever_it_comes,
    wrong_credentials_are_401_and_limited,
];

/// Three wrong credentials of one address are too many.
const FAILURES: &str = "[auth]\nfailures = \"3/52 weeks\"\n[auth.keys]\n";

const WRONG: [(&str, &str); 1] = [("Authorization", "Bearer tg_wrong")];

fn site(proxy: Proxy) -> (Site, String) {
    let made = Options::default().run(&["keys", "new", "--user", "1042"]).stdout;
    let (key, line) = made.trim_end().split_once('\n').expect("a key and its line");
    let more = format!("{FAILURES}{line}\n");
    (Site::with(proxy, WhenSilent::Closed, &more), format!("Bearer {key}"))
}

fn a_key_is_its_user_from_wherever_it_comes(proxy: Proxy) {
    let (site, bearer) = site(proxy);
    let line = [("Authorization", &*bearer)];
    for number in 0..10 {
        let source = if number % 2 == 0 { CLIENT } else { OTHER };
        assert_eq!(site.ask(source, "GET", "/api/data", &line, "").status, 200);
    }
    assert_eq!(site.ask(OTHER, "GET", "/api/data", &line, "").status, 429);
    assert_eq!((site.used("user:1042", "default"), site.used("ip:127.0.0.8", "default")), (10, 0));
    assert_eq!(site.application.seen()[0].field("authorization"), Some(&*bearer));
}

fn wrong_credentials_are_401_and_limited(proxy: Proxy) {
    let (site, bearer) = site(proxy);
    for _ in 0..3 {
        let response = site.get("/api/data", &WRONG);
        assert_eq!(response.status, 401, "{response:?}");
        let challenge = "Bearer realm=\"tollgate\", error=\"invalid_token\"";
        assert_eq!(response.header("www-authenticate"), Some(challenge));
        assert!(response.body.contains("\"status\":401"), "{response:?}");
    }
    assert_eq!(site.get("/api/data", &WRONG).status, 429);
    assert_eq!(site.get("/api/data", &[("Authorization", &bearer)]).status, 429);
    assert_eq!(site.ask(OTHER, "GET", "/api/data", &WRONG, "").status, 401);
    assert!(site.application.seen().is_empty());
}
