//! The sample of each format.

use super::{LogSummary, LoggedRequest, Logs, NOON, targets};

pub(super) const NGINX: &str = "$remote_addr - $remote_user [$time_local] $msec \"$request\" $status \"$http_referer\" \
     \"$http_user_agent\" \"$http_x_forwarded_for\" rt=$request_time ut=\"$upstream_response_time\"";
pub(super) const APACHE: &str =
    "%h %l %u %t %{msec}t \"%r\" %>s %D \"%{X-Forwarded-For}i\" %{msec_frac}t";

macro_rules! samples {
    ($($name:ident = $file:literal,)*) => {
        $(const $name: &[u8] = include_bytes!(concat!("../../../../../tests/it/access_logs/", $file));)*
        pub(super) const ALL: &[&[u8]] = &[$($name),*];
    };
}

samples! {
    COMMON = "common.log",
    COMBINED = "combined.log",
    VHOST = "vhost.log",
    NGINX_TIMED = "nginx-timed.log",
    APACHE_TIMED = "apache.log",
    CADDY = "caddy.jsonl",
    TRAEFIK = "traefik.jsonl",
    ALB = "alb.log",
    LINES = "lines.jsonl",
    NAMED = "named.jsonl",
    GARBAGE = "garbage.log",
    WINDOWS = "windows.log",
    DST = "dst.log",
    OUT_OF_ORDER = "out-of-order.log",
    CUT_OFF = "cut-off.log.gz",
}

fn read(bytes: &[u8]) -> (Vec<LoggedRequest>, LogSummary) {
    Logs::new(&[bytes]).read()
}

/// What is known of each request: ms since noon, peer, user, method, target, status.
fn told(requests: &[LoggedRequest]) -> Vec<String> {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\\"", "\"");
    let told = |it: &LoggedRequest| {
        format!(
            "{} {} {} {} {} {}",
            it.began_at().cast_signed() - NOON.cast_signed(),
            it.peer().map_or("-".to_owned(), |peer| peer.to_string()),
            it.user().map_or("-".to_owned(), text),
            text(it.method()),
            text(it.target()),
            it.status().unwrap_or(0)
        )
    };
    requests.iter().map(told).collect()
}

fn field(request: &LoggedRequest, name: &str) -> Option<String> {
    request.field(name).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[test]
fn common() {
    let (requests, summary) = read(COMMON);
    assert_eq!(told(&requests), ["0 203.0.113.7 - GET / 200", "1000 203.0.113.9 - GET /a 200"]);
    assert_eq!(field(&requests[1], "x-forwarded-for").unwrap(), "198.51.100.1, 203.0.113.9");
    assert_eq!((summary.files[0].format.as_str(), summary.time_step), ("common", 1_000));
}

#[test]
fn combined() {
    let (requests, summary) = read(COMBINED);
    assert_eq!(
        told(&requests),
        [
            "0 203.0.113.7 - GET /orders?page=2 200",
            "0 203.0.113.8 ann POST /orders 201",
            "1000 2001:db8::7 - GET /search?q=\"a b\" 429",
            "1000 203.0.113.9 bob smith DELETE /orders/7 204",
            "2000 203.0.113.9 - GET / 200",
            "3000 - - HEAD / 304",
        ]
    );
    assert_eq!(field(&requests[0], "referer").unwrap(), "https://example.com/");
    assert_eq!(field(&requests[3], "user-agent").unwrap(), "app \"nightly\"");
    assert_eq!(field(&requests[3], "x-forwarded-for").unwrap(), "198.51.100.1, 203.0.113.9");
    assert_eq!(field(&requests[4], "x-forwarded-for").unwrap(), "198.51.100.4, 203.0.113.9");
    assert_eq!(summary.files[0].format, "combined");
    assert_eq!((summary.with_user, summary.without_address, summary.already_429), (2, 1, 1));
    assert_eq!((summary.with_duration, summary.out_of_order, summary.unparsed), (0, 0, 0));
}

#[test]
fn vhost() {
    let (requests, _) = read(VHOST);
    let expected = [
        "0 203.0.113.7 - GET /cart 200",
        "1000 203.0.113.8 ann GET /cart 200",
        "2000 2001:db8::8 - GET /cart 200",
    ];
    assert_eq!(told(&requests), expected);
}

#[test]
fn nginx_with_durations() {
    let (requests, summary) = Logs::new(&[NGINX_TIMED]).format(NGINX).read();
    assert_eq!(
        told(&requests),
        [
            "1125 203.0.113.7 ann GET /slow?a=1 200",
            "5300 203.0.113.8 - GET /fast 429",
            "5900 203.0.113.9 -  \\x16\\x03\\x01\\x02\\x00\\x01\\x00\" 400",
            "6500 203.0.113.9 -   400",
        ]
    );
    assert_eq!(field(&requests[0], "x-forwarded-for").unwrap(), "198.51.100.1, 203.0.113.9");
    assert_eq!((summary.with_duration, summary.time_step), (4, 10));
    assert_eq!(summary.files[0].format, "log_format");
}

#[test]
fn apache_with_the_start() {
    let (requests, summary) = Logs::new(&[APACHE_TIMED]).format(APACHE).read();
    let expected =
        ["123 203.0.113.7 ann GET /report?year=2024 200", "1456 2001:db8::7 - GET /\\xc3\\xa9 404"];
    assert_eq!(told(&requests), expected);
    assert_eq!(field(&requests[0], "x-forwarded-for").unwrap(), "198.51.100.1");
    assert_eq!((summary.with_duration, summary.time_step), (0, 1));
}

#[test]
fn caddy() {
    let (requests, summary) = read(CADDY);
    let expected =
        ["274 203.0.113.7 ann GET /caf\\xc3\\xa9?a=1 200", "1000 2001:db8::7 - POST / 429"];
    assert_eq!(told(&requests), expected);
    assert_eq!(field(&requests[0], "x-forwarded-for").unwrap(), "198.51.100.1, 203.0.113.9");
    assert_eq!(field(&requests[0], "user-agent").unwrap(), "curl/8.5.0");
    assert_eq!((summary.with_duration, summary.unparsed), (2, 1));
    assert_eq!(summary.files[0].format, "caddy");
}

#[test]
fn traefik() {
    let (requests, summary) = read(TRAEFIK);
    let expected = ["500 203.0.113.7 ann GET /orders?page=2 200", "1250 2001:db8::7 - POST / 429"];
    assert_eq!(told(&requests), expected);
    assert_eq!(field(&requests[0], "x-forwarded-for").unwrap(), "198.51.100.1");
    assert_eq!(field(&requests[0], "user-agent").unwrap(), "curl/8.5.0");
    assert_eq!((summary.with_duration, summary.files[0].format.as_str()), (0, "traefik"));
}

#[test]
fn alb() {
    let (requests, summary) = read(ALB);
    let expected = [
        "201 203.0.113.7 - GET /orders?page=2 200",
        "1250 2001:db8::7 - POST / 200",
        "1900 203.0.113.8 -  - http://example.com:80- - 400",
    ];
    assert_eq!(told(&requests), expected);
    assert_eq!(field(&requests[1], "user-agent").unwrap(), "app \"x\"");
    assert_eq!((summary.with_duration, summary.files[0].format.as_str()), (1, "alb"));
}

#[test]
fn lines_of_json() {
    let (requests, summary) = read(LINES);
    let expected = [
        "60 203.0.113.7 ann GET /orders?page=2 200",
        "750 203.0.113.8 - POST /orders 429",
        "2000 2001:db8::7 - GET / 0",
    ];
    assert_eq!(told(&requests), expected);
    assert_eq!(field(&requests[1], "user-agent").unwrap(), "curl/8.5.0");
    assert_eq!(field(&requests[2], "x-api-key").unwrap(), "k1");
    assert_eq!((summary.without_address, summary.files[0].format.as_str()), (0, "json"));
}

#[test]
fn lines_of_json_with_named_fields() {
    let fields = [
        "time=at",
        "ip=who.addr",
        "user=who.name",
        "method=req.verb",
        "path=req.to",
        "duration=took_ms",
        "status=code",
        "forwarded=via",
        "header:X-Api-Key=key",
    ];
    let logs = Logs::new(&[NAMED]);
    assert!(logs.refusal().contains("--field time=NAME"));
    let (requests, _) = logs.fields(&fields).read();
    assert_eq!(told(&requests), ["100 203.0.113.7 ann GET /a 429"]);
    assert_eq!(field(&requests[0], "x-forwarded-for").unwrap(), "198.51.100.1");
    assert_eq!(field(&requests[0], "x-api-key").unwrap(), "k1");
}

#[test]
fn garbage_is_kept_as_what_it_is() {
    let (requests, summary) = read(GARBAGE);
    assert_eq!(
        told(&requests),
        [
            "0 203.0.113.7 - GET / 200",
            "1000 203.0.113.8 -  \\x16\\x03\\x01\\x02\\x00\\x01 400",
            "2000 203.0.113.9 -   408",
            "3000 203.0.113.9 -   400",
            "4000 203.0.113.8 -  \\x16\\x03\\x01\\x02\\x00\\x01\\xfc\\x03\\x03 \\xff 400",
            "5000 203.0.113.8 -  GET /cut 0",
        ]
    );
    let unparsed: Vec<(u64, &str)> =
        summary.first_unparsed.iter().map(|line| (line.line, line.text.as_str())).collect();
    let expected = [
        (6, "not a line of a log"),
        (7, "203.0.113.8 - - [31/Feb/2024:12:00:05 +0000] \"GET / HTTP/1.1\" 200 1"),
    ];
    assert_eq!(unparsed, expected);
}

#[test]
fn a_mark_and_ends_of_other_systems() {
    let (requests, summary) = read(WINDOWS);
    assert_eq!(told(&requests), ["0 203.0.113.7 - GET /a 200", "1000 203.0.113.7 - GET /b 200"]);
    assert_eq!(summary.unparsed, 0);
}

#[test]
fn an_hour_that_repeats() {
    let (requests, summary) = read(DST);
    let start = requests[0].began_at();
    let after: Vec<u64> = requests.iter().map(|it| it.began_at() - start).collect();
    assert_eq!(after, [0, 1_000, 2_000, 3_000, 3_601_000, 3_602_000]);
    assert_eq!(targets(&requests), ["/1", "/2", "/3", "/4", "/5", "/6"]);
    assert_eq!(summary.out_of_order, 0);
}

#[test]
fn lines_out_of_order() {
    let (requests, summary) = read(OUT_OF_ORDER);
    assert_eq!(targets(&requests), ["/1", "/2", "/3", "/4", "/5", "/5b", "/6"]);
    let after: Vec<u64> = requests.iter().map(|it| it.began_at() - NOON).collect();
    // /5 came 11 s after its time.
    assert_eq!(after, [0, 3_000, 5_000, 5_000, 5_000, 50_000, 60_000]);
    assert_eq!(summary.out_of_order, 1);
}

#[test]
fn a_file_that_is_cut_off() {
    let (requests, summary) = read(CUT_OFF);
    assert!((1_000..2_000).contains(&requests.len()), "{}", requests.len());
    assert!(summary.files[0].cut_off.is_some());
}
