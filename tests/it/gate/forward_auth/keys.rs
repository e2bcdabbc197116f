//! Each part of a key that a proxy tells.

use super::*;

const KEYED: &str = r#"
[policies.query]
quota = "1/52 weeks"
key = "query:key"
[policies.cookie]
quota = "1/52 weeks"
key = "cookie:session"
[policies.host]
quota = "1/52 weeks"
key = "host"

[routes."/query"]
policies = ["query"]
[routes."/cookie"]
policies = ["cookie"]
[routes."/host"]
policies = ["host"]
"#;

#[test]
fn the_query_the_host_and_cookies_are_those_of_the_client() {
    for proxy in BY_FIELDS {
        let stand = Stand::new(KEYED);
        let ask = |uri: &str, more: &[(&str, &[u8])]| {
            let seen = stand.ask_with(proxy, "GET", uri, "203.0.113.7", more);
            seen.status == 200
        };
        let query = ["/query?key=a", "/query?key=b", "http://h/query?key=a#?key=c", "/query?key=a"];
        assert_eq!(query.map(|uri| ask(uri, &[])), [true, true, false, false], "{proxy}");
        let cookie = |value: &[u8]| ask("/cookie", &[("cookie", value)]);
        assert_eq!(
            [cookie(b"session=a"), cookie(b"session=b"), cookie(b"x=1; session=a")],
            [true, true, false]
        );
        let host = |host: &[u8]| ask("/host", &[("x-forwarded-host", host)]);
        assert_eq!(
            [host(b"a.example"), host(b"b.example"), host(b"A.example:80")],
            [true, true, false]
        );
        // Without the field, and with two of it, a request has no host: that of the question is the gate's own.
        let twice: [(&str, &[u8]); 2] =
            [("x-forwarded-host", b"c.example"), ("x-forwarded-host", b"d.example")];
        assert_eq!([ask("/host", &[]), ask("/host", &twice)], [true, false], "{proxy}");
    }
}

#[test]
fn envoy_sends_the_request_of_its_client_as_its_own() {
    let stand = Stand::new(KEYED);
    let ask = |path: &str, host: &[u8]| {
        let lines = [("x-forwarded-for", &b"203.0.113.7"[..]), ("host", host)];
        stand.gate.get(&format!("/v1/auth{path}"), &lines).status == 200
    };
    assert!(ask("/query?key=a", b"a") && ask("/query?key=b", b"a") && !ask("/query?key=a", b"a"));
    assert!(
        ask("/host", b"a.example") && ask("/host", b"b.example") && !ask("/host", b"A.example:1")
    );
}
