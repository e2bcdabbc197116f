//! Every door answers with the same bytes.

use std::io::Write as _;
use std::net::TcpStream;

use tollgate::{ClientIp, Cost};

use super::{Counts, Door, Limit, OLDER, policy};
use crate::support::raw::read_to_close;

/// Requests that meet every kind of answer, in an order in which each does.
const REQUESTS: [&str; 16] = [
    "GET / HTTP/1.1\r\n",
    "HEAD / HTTP/1.1\r\n",
    "GET /status HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nx-answer: 404\r\n",
    "GET / HTTP/1.1\r\n",
    "HEAD / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\naccept: application/problem+json\r\n",
    "GET /status HTTP/1.1\r\n",
    "GET /dear HTTP/1.1\r\n",
    "GET /free HTTP/1.1\r\nx-answer: stream\r\n",
    "GET /free HTTP/1.1\r\nx-answer: 500\r\n",
    "GET / HTTP/1.1\r\nx-forwarded-for: 203.0.113.66\r\n",
    "POST / HTTP/1.1\r\ncontent-length: 2\r\nx-forwarded-for: 203.0.113.67\r\n",
    "GET / HTTP/1.1\r\nx-forwarded-for: 2001:db8::1\r\n",
    "GET / HTTP/1.1\r\nx-user: ann\r\nx-plan: pro\r\n",
    "GET /%2e HTTP/1.1\r\n",
];

#[test]
fn every_door_answers_with_the_same_bytes() {
    let [actix, axum, hyper] = [Door::Actix, Door::Axum, Door::Hyper].map(answers);
    for (index, request) in REQUESTS.iter().enumerate() {
        assert_eq!(axum[index], actix[index], "{request}");
        assert_eq!(hyper[index], actix[index], "{request}");
    }
    let statuses: Vec<_> = actix.iter().map(|(line, _, _)| line[9..12].to_owned()).collect();
    assert_eq!(
        statuses,
        [
            "200", "200", "200", "404", "429", "429", "429", "200", "429", "200", "500", "403",
            "200", "200", "200", "200"
        ]
    );
}

/// Of each answer: its first line; its header fields but those of the connection, those of one name in
/// their order; its body as it came.
fn answers(door: Door) -> Vec<(String, Vec<String>, String)> {
    let plan = policy("default", "3/minute").with_plan("pro", "9/hour".parse().expect("a quota"));
    let policies = [plan.expect("a plan"), policy("day", "100/day")];
    let cost = Cost::new(101).expect("a cost");
    let limiter = Counts::in_memory()
        .limiter(policies)
        .route("/", ["default", "day"], [])
        .route("/status", [], ["day", "default"])
        .route_of_cost(cost, "/dear", ["day"], [])
        .block(["203.0.113.66".parse().expect("an entry")]);
    let networks = ["127.0.0.0/8".parse().expect("a network")];
    let client_ip = ClientIp::behind(networks, "x-forwarded-for".parse().expect("a field"));
    let limit = Limit { client_ip, formats: OLDER, expose: true, ..Limit::new(limiter) };
    let served = limit.serve(door);
    let answer = |request: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", served.port)).expect("a server");
        let body = if request.contains("content-length: 2") { "{}" } else { "" };
        let request = format!("{request}host: t\r\nconnection: close\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).expect("it reads");
        let answer = String::from_utf8(read_to_close(stream)).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.split("\r\n").map(str::to_owned);
        let first = lines.next().expect("a first line");
        let mut lines: Vec<String> = lines
            .filter(|line| !["date: ", "connection: "].iter().any(|it| line.starts_with(it)))
            .collect();
        let name = |line: &String| line.split(':').next().map(str::to_owned);
        lines.sort_by_key(name);
        (first, lines, body.to_owned())
    };
    REQUESTS.iter().map(|request| answer(request)).collect()
}
