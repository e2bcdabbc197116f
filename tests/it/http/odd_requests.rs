//! Malformed and unusual requests: the data is never sent uncounted, and nothing breaks.

use super::*;
use crate::support::http::raw;

/// What comes back for a GET of `target`, whatever it is.
pub(super) fn get(tollgate: &Tollgate, target: &[u8]) -> String {
    let request = [b"GET ", target, b" HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"];
    raw(tollgate.url(), &request.concat())
}

const SPELLINGS: [&str; 31] = [
    "/api/data",
    "/api/%64ata",
    "/api/%64%61%74%61",
    "/%61pi/data",
    "/%61%70%69/%64%61%74%61",
    "/api/data?x=1",
    "/api/data?",
    "/api/data?/api/status",
    "http://t/api/data",
    "http://other/api/%64ata?x",
    "/api/data#x",
    "/api//data",
    "//api/data",
    "/api/data/",
    "/api/data//",
    "/api/./data",
    "/./api/data",
    "/api/../api/data",
    "/api/status/../data",
    "/api/%2e/data",
    "/api/data/.",
    "/api%2fdata",
    "/api/data%2f",
    "/api/%2564ata",
    "/api/data%00",
    "/api/data%20",
    "/api/data%ff",
    "/api/data;x=1",
    "/API/DATA",
    "/api\\data",
    "*",
];

#[test]
fn however_the_path_is_spelled_the_data_is_counted() {
    on_each_store(|options| {
        let tollgate = options.set("policies.default.quota", "1000/52 weeks").serve();
        let left = || remaining(&tollgate.get("/api/status", &[]));
        let mut came = Vec::new();
        for spelling in SPELLINGS {
            let before = left();
            let answer = get(&tollgate, spelling.as_bytes());
            let data = answer.contains("Here is your data!");
            let ok = answer.starts_with("HTTP/1.1 200 ");
            let client_error = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
            assert!(ok && data || client_error && !data, "{spelling}: {answer}");
            assert_eq!(before - left(), u64::from(data), "{spelling} is counted if it is answered");
            came.extend(data.then_some(spelling));
        }
        // Those that are the path in other words: with them the test is about something.
        for spelling in
            ["/api/data", "/api/%64ata", "/%61pi/data", "/api/data?x=1", "http://t/api/data"]
        {
            assert!(came.contains(&spelling), "{spelling} is not the path? {came:?}");
        }
    });
}

#[test]
fn however_the_path_is_spelled_a_closed_gate_is_closed() {
    on_each_store(|options| {
        let tollgate = options.set("policies.default.quota", "1/52 weeks").serve();
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        for spelling in SPELLINGS {
            let answer = get(&tollgate, spelling.as_bytes());
            assert!(!answer.contains("Here is your data!"), "{spelling}: {answer}");
        }
    });
}

#[test]
fn a_malformed_request_is_the_clients_fault_and_harms_nobody() {
    let tollgate = ten(Options::default().set("store.url", "memory:"));
    let head = |fields: &[u8]| [b"GET /api/status HTTP/1.1\r\nhost: t\r\n", fields].concat();
    let long = |length| [&b"x-long: "[..], &vec![b'a'; length], b"\r\n\r\n"].concat();
    let malformed: Vec<Vec<u8>> = vec![
        b"\r\n\r\n".to_vec(),
        b"\x00\x01\x02\x03\xff\xfe\r\n\r\n".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET  HTTP/1.1\r\n\r\n".to_vec(),
        b"GET /api/data HTTP/9.9\r\nhost: t\r\n\r\n".to_vec(),
        b"G\x00T /api/data HTTP/1.1\r\nhost: t\r\n\r\n".to_vec(),
        [b"GET /".to_vec(), vec![b'a'; 200_000], b" HTTP/1.1\r\n\r\n".to_vec()].concat(),
        head(b"x y: z\r\n\r\n"),
        head(b"x: a\x00b\r\n\r\n"),
        head(b": no name\r\n\r\n"),
        head(b"no colon\r\n\r\n"),
        head(b"content-length: -1\r\n\r\n"),
        head(b"content-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        head(b"transfer-encoding: nonsense\r\n\r\n"),
        head(&long(200_000)),
        head(&[&b"x: y\r\n".repeat(1_000)[..], b"\r\n"].concat()),
        // What it never ends.
        head(b"x-open: "),
    ];
    for request in malformed {
        let answer = raw(tollgate.url(), &request);
        let shown = request[..request.len().min(80)].escape_ascii();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{shown}: {answer}");
        assert_eq!(tollgate.get("/api/status", &[]).status, 200, "it serves on after {shown}");
    }
    // The same head in good form is answered: it is not the fixture that fails.
    let good = raw(tollgate.url(), &head(b"connection: close\r\n\r\n"));
    assert!(good.starts_with("HTTP/1.1 200 "), "{good}");
}

#[test]
fn odd_header_values_are_no_ones_business() {
    on_each_store(|options| {
        let tollgate = options.set("policies.default.quota", "1/52 weeks").serve();
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        let long = b"a/b;c=\"d\";q=0.5,".repeat(1_000);
        let values: [&[u8]; 9] = [
            b"",
            b"\xff\xfe\x80",
            b"caf\xe9",
            b"{}:%00:{user:1}",
            b"*/*;q=banana",
            b"application/problem+json;q=0",
            b";;;,,,===",
            b"text/html;q=0.00000000000000000001,*/*;q=99999999999999999999",
            &long,
        ];
        let names =
            ["accept", "x-forwarded-for", "forwarded", "authorization", "user-agent", "x-api-key"];
        let ask = |path: &str, name: &str, value: &[u8]| {
            let begin = format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n{name}: ");
            raw(tollgate.url(), &[begin.as_bytes(), value, b"\r\n\r\n"].concat())
        };
        for name in names {
            for value in values {
                let shown = value[..value.len().min(80)].escape_ascii();
                let denied = ask("/api/data", name, value);
                assert!(denied.starts_with("HTTP/1.1 429 "), "{name}: {shown}: {denied}");
                let body = denied.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                let body: Value = serde_json::from_str(body).expect("a body of JSON");
                assert_eq!(body["message"], "Too many requests. Please try again later.");
                let status = ask("/api/status", name, value);
                assert!(status.starts_with("HTTP/1.1 200 "), "{name}: {shown}: {status}");
            }
        }
    });
}

#[test]
fn a_forwarded_address_opens_nothing() {
    on_each_store(|options| {
        let tollgate = ten(options);
        let statuses: Vec<u16> = (0..20_u8)
            .map(|client| {
                let address = format!("198.51.100.{client}");
                let forwarded = format!("for={address}");
                let fields = [
                    ("x-forwarded-for", address.as_bytes()),
                    ("forwarded", forwarded.as_bytes()),
                    ("x-real-ip", address.as_bytes()),
                ];
                tollgate.get("/api/data", &fields).status
            })
            .collect();
        assert_eq!(statuses, [[200; 10], [429; 10]].concat());
    });
}
