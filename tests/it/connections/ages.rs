//! Connections that are idle or old are closed.

use super::*;
use crate::support::threads::until;

#[test]
fn one_that_idles_after_an_answer_is_closed() {
    let stand = Stand::with(&[("keep_alive_ms", "100")]);
    let mut client = stand.dial();
    let answer = client.ask(GET);
    assert_eq!((answer.status, answer.header("connection")), (200, None));
    client.ends();
    assert_eq!(stand.acted("keep_alive_ms"), 1);
    let mut client = stand.dial_admin();
    assert_eq!(client.ask("GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n").status, 200);
    client.ends();
    // Those that asked for it idle as well.
    assert!(stand.acted_on_admin("keep_alive_ms") >= 1);
}

#[test]
fn without_keep_alive_each_answer_is_the_last() {
    let stand = Stand::with(&[("keep_alive_ms", "0")]);
    for request in [GET, "GET /api/data HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"] {
        let mut client = stand.dial();
        let answer = client.ask(request.repeat(2));
        assert_eq!(answer.status, 200);
        assert_ne!(answer.header("connection"), Some("keep-alive"));
        client.ends();
    }
    let mut client = stand.dial();
    assert_eq!(client.ask(GET).header("connection"), Some("close"));
    client.ends();
}

#[test]
fn one_that_is_old_ends_with_its_next_answer_or_when_it_idles() {
    let stand = Stand::with(&[("max_connection_age_ms", "1000")]);
    let mut idle = stand.dial();
    idle.ask(GET);
    let mut busy = stand.dial();
    until("it says so", || busy.ask(GET).header("connection") == Some("close"));
    busy.ends();
    idle.ends();
    assert_eq!(stand.acted("max_connection_age_ms"), 2);
    assert_eq!(stand.acted("keep_alive_ms"), 0);
}
