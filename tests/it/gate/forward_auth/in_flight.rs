//! Requests under way: a proxy does not say when a request ends, so each holds its slot for as long as a slot lasts.

use super::*;
use crate::support::threads::until;

const SLOTS: &str = r#"
[policies.busy]
in_flight = 1
slot_ms = 1000
key = "ip"

[routes."/busy"]
policies = ["busy"]
"#;

#[test]
fn a_request_holds_its_slot_until_that_ends_by_itself() {
    for proxy in BY_FIELDS {
        let stand = Stand::new(SLOTS);
        let ask = |address: &str| stand.ask(proxy, "GET", "/busy", address);
        assert_eq!(ask("203.0.113.7").status, 200);
        assert_eq!(ask("203.0.113.8").status, 200);
        until("the slot has ended", || ask("203.0.113.7").status == 200);
    }
}

#[test]
fn a_denial_has_no_retry_after() {
    let stand = Stand::new(&SLOTS.replace("1000", "3600000"));
    let ask = || stand.ask("caddy", "GET", "/busy", "203.0.113.7");
    assert_eq!(ask().status, 200);
    let denied = ask();
    assert_eq!((denied.status, denied.header("retry-after")), (429, None));
    assert_eq!(denied.header("ratelimit"), Some("\"busy\";r=0"));
}
