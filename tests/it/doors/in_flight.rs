//! Policies that limit the requests under way.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpStream};

use tollgate::{KeySource, LimiterBuilder, Policy};

use super::{Counts, Door, Limit, Served, on_each_store, policy, through_each_door};
use crate::support::conversation::Conversation;
use crate::support::raw;
use crate::support::threads::{together, until};

through_each_door! {
    a_request_holds_its_slot_until_its_client_hangs_up,
    a_client_that_hangs_up_before_its_response_holds_nothing,
    one_request_after_another_is_never_denied,
    never_more_reach_the_application_at_once,
    all_clients_together_are_told_503,
    a_reserve_is_for_its_routes,
}

/// At most so many requests at once, besides a quota that nobody uses up.
fn at_once(most: u64) -> Policy {
    policy("default", "1000/hour").with_in_flight(most, 30_000).expect("a limit")
}

fn limited(counts: &Counts, most: u64) -> Limit {
    Limit::by(counts.limiter([at_once(most)]), ["default"])
}

/// A request that the application does not finish.
fn begin(served: &Served, path: &str, wanted: &str) -> TcpStream {
    let stream = raw::connect_from(Ipv4Addr::LOCALHOST, served.port);
    raw::ask(&stream, path, &[("x-answer", wanted)]);
    stream
}

/// Reads the beginning of an answer without an end.
fn is_answered(mut stream: &TcpStream) {
    let mut begins = [0; 12];
    stream.read_exact(&mut begins).expect("an answer");
    assert_eq!(&begins, b"HTTP/1.1 200");
}

/// Whether a request passes. If not, its client is not told when to come again.
fn passes(served: &Served) -> bool {
    let response = served.get("/");
    if response.status == 200 {
        return true;
    }
    assert_eq!((response.status, response.header("retry-after")), (429, None));
    assert_eq!(response.header("ratelimit"), Some(r#""default/in-flight";r=0"#));
    false
}

fn a_request_holds_its_slot_until_its_client_hangs_up(door: Door) {
    on_each_store(|counts| {
        let served = limited(counts, 2).serve(door);
        let streams = [begin(&served, "/", "endless"), begin(&served, "/", "endless")];
        streams.iter().for_each(is_answered);
        assert!(!passes(&served));
        let [first, second] = streams;
        drop(first);
        until("its slot is free", || passes(&served));
        let third = begin(&served, "/", "endless");
        is_answered(&third);
        assert!(!passes(&served), "it was given back once");
        drop((second, third));
    });
}

fn a_client_that_hangs_up_before_its_response_holds_nothing(door: Door) {
    on_each_store(|counts| {
        let served = limited(counts, 1).serve(door);
        let stream = begin(&served, "/", "never");
        until("it is under way", || served.reached() == 1);
        assert!(!passes(&served));
        drop(stream);
        until("its slot is free", || passes(&served));
    });
}

fn one_request_after_another_is_never_denied(door: Door) {
    on_each_store(|counts| {
        let served = limited(counts, 1).serve(door);
        let stream = raw::connect_from(Ipv4Addr::LOCALHOST, served.port);
        let mut conversation = Conversation::over(stream);
        for wanted in ["200", "304", "500", "404"].repeat(5) {
            let request = format!("GET / HTTP/1.1\r\nhost: t\r\nx-answer: {wanted}\r\n\r\n");
            assert_eq!(conversation.ask(request).status.to_string(), wanted);
            conversation.say("HEAD / HTTP/1.1\r\nhost: t\r\n\r\n");
            assert_eq!(conversation.head().status, 200);
            assert_eq!(served.ask("GET", "/", &[("x-answer", "stream")]).status, 200);
        }
    });
}

fn never_more_reach_the_application_at_once(door: Door) {
    let counts = Counts::in_memory();
    let served = limited(&counts, 3).serve(door);
    let port = served.port;
    let streams = together(8, move |_| {
        let stream = raw::connect_from(Ipv4Addr::LOCALHOST, port);
        raw::ask(&stream, "/", &[("x-answer", "endless")]);
        let mut begins = [0; 12];
        (&stream).read_exact(&mut begins).expect("an answer");
        (stream, begins)
    });
    let passed = streams.iter().filter(|(_, begins)| begins == b"HTTP/1.1 200").count();
    assert_eq!((passed, served.reached()), (3, 3));
}

fn all_clients_together_are_told_503(door: Door) {
    on_each_store(|counts| {
        let all = at_once(1).with_key(KeySource::Global);
        let served = Limit::by(counts.limiter([all]), ["default"]).serve(door);
        let stream = begin(&served, "/", "endless");
        is_answered(&stream);
        let denied = served.get("/");
        assert_eq!((denied.status, denied.header("retry-after")), (503, None));
    });
}

fn a_reserve_is_for_its_routes(door: Door) {
    on_each_store(|counts| {
        let policy = at_once(3).with_reserve("30%".parse().expect("a share"));
        let limiter = counts.limiter([policy.expect("slots for others")]);
        let limiter = LimiterBuilder::route(limiter, "/*", ["default"], []);
        let limiter = limiter.route("/pay", ["default"], []).reserve_for("/pay");
        let served = Limit::new(limiter).serve(door);
        let streams = [begin(&served, "/", "endless"), begin(&served, "/", "endless")];
        streams.iter().for_each(is_answered);
        assert!(!passes(&served), "the third slot is kept");
        let paying = begin(&served, "/pay", "endless");
        is_answered(&paying);
        assert_eq!(served.get("/pay").status, 429);
    });
}
