//! Who is refused, by which policy and since when: in the log, and by `tollgate top`.

use rustix::process::Signal;
use serde_json::Value;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};

/// A process in which two requests a year of each `x-client` are admitted, and where its operators ask.
fn serve(options: Options) -> (Tollgate, String) {
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = options
        .set("store.url", "memory:")
        .set("admin.listen", &listen)
        .set("policies.default.quota", "2/52 weeks")
        .set("policies.default.key", "header:x-client")
        .serve();
    (tollgate, listen)
}

fn ask(tollgate: &Tollgate, client: &str, times: usize) -> Vec<u16> {
    let fields = [("x-client", client.as_bytes())];
    (0..times).map(|_| tollgate.get("/api/data", &fields).status).collect()
}

/// The lines about denials, without their times.
fn denials(log: &[String]) -> Vec<String> {
    let ours = log.iter().filter(|line| line.contains("denied"));
    ours.map(|line| line.split_once("] ").expect("a level").1.to_owned()).collect()
}

#[test]
fn the_first_denial_of_a_client_is_a_line_and_the_others_are_summed_up() {
    let (mut tollgate, _) = serve(Options::default());
    assert_eq!(ask(&tollgate, "ann", 5), [200, 200, 429, 429, 429]);
    assert_eq!(ask(&tollgate, "bob", 3), [200, 200, 429]);
    tollgate.signal(Signal::TERM);
    tollgate.wait();
    let lines = denials(tollgate.rest_of_stderr());
    let [first, second, summary] = &lines[..] else { panic!("{lines:?}") };
    for (line, client) in [(first, "ann"), (second, "bob")] {
        let start = format!(
            "Policy \"default\" denied header:x-client:{client} on /api/data (door actix): "
        );
        assert!(line.starts_with(&start) && line.contains("it may try again in "), "{line}");
    }
    assert_eq!(
        summary,
        "In the last minute, policy \"default\" denied 4 requests of 2 clients, most of them of \
         header:x-client:ann (3) and header:x-client:bob (1)."
    );
}

#[test]
fn a_flood_of_denials_is_no_flood_of_lines_and_each_is_one_at_debug() {
    for (level, most) in [("info", 21), ("debug", 1_000)] {
        let (mut tollgate, _) =
            serve(Options::default().env("RUST_LOG", &format!("tollgate={level}")));
        for client in 0..60 {
            ask(&tollgate, &client.to_string(), 7);
        }
        tollgate.signal(Signal::TERM);
        tollgate.wait();
        let lines = denials(tollgate.rest_of_stderr());
        let is_summary = |line: &&String| line.starts_with("In the last minute");
        let summary = lines.iter().find(is_summary).map_or("", String::as_str);
        if level == "info" {
            assert_eq!(lines.len(), most, "20 first denials and a summary: {lines:#?}");
            assert!(summary.contains("denied 300 requests of 60 clients"), "{summary}");
        } else {
            assert_eq!(lines.iter().filter(|line| !is_summary(line)).count(), 300);
        }
    }
}

#[test]
fn what_a_client_sends_cannot_break_a_line() {
    let (mut tollgate, _) = serve(Options::default());
    ask(&tollgate, "a] forged \u{9b}31m\u{2028}", 3);
    ask(&tollgate, "a b\"c\\d", 3);
    tollgate.signal(Signal::TERM);
    tollgate.wait();
    let lines = denials(tollgate.rest_of_stderr());
    assert_eq!(lines.iter().filter(|line| line.starts_with("Policy")).count(), 2, "{lines:?}");
    assert!(lines.iter().all(|line| line.is_ascii() && !line.contains("] forged")), "{lines:?}");
}

#[test]
fn lines_of_json_have_fields_with_stable_names() {
    let options = Options::default()
        .set("log.format", "json")
        .set("log.request_id_header", "x-request-id")
        .set("client_ip.trusted_proxies", "127.0.0.1");
    let (mut tollgate, _) = serve(options);
    ask(&tollgate, "ann", 2);
    let fields = [("x-client", b"ann".as_slice()), ("x-request-id", b"7-a")];
    assert_eq!(tollgate.get("/api/data", &fields).status, 429);
    tollgate.signal(Signal::TERM);
    tollgate.wait();
    let lines: Vec<Value> = tollgate
        .rest_of_stderr()
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(lines.iter().all(|line| {
        ["timestamp", "level", "target", "message"].iter().all(|it| line[it].is_string())
    }));
    let denied = lines.iter().find(|line| line["event"] == "denied").expect("a denial");
    assert_eq!(denied["policy"], "default");
    assert_eq!(denied["key"], "header:x-client:ann");
    assert_eq!(denied["route"], "/api/data");
    assert_eq!(denied["request_id"], "7-a");
    assert!(denied["retry_after_ms"].is_u64());
}

#[test]
fn the_id_of_a_request_is_taken_from_a_trusted_proxy_alone() {
    for (proxies, id, is_taken) in [
        ("127.0.0.1", "7-a", true),
        ("10.0.0.0/8", "7-a", false),
        ("127.0.0.1", &*"x".repeat(65), false),
        ("127.0.0.1", "two words", false),
    ] {
        let options = Options::default()
            .set("log.request_id_header", "x-request-id")
            .set("client_ip.trusted_proxies", proxies);
        let (mut tollgate, _) = serve(options);
        for _ in 0..3 {
            tollgate.get("/api/data", &[("x-client", b"ann"), ("x-request-id", id.as_bytes())]);
        }
        tollgate.signal(Signal::TERM);
        tollgate.wait();
        let lines = denials(tollgate.rest_of_stderr());
        assert_eq!(lines[0].contains(&format!("request {id}")), is_taken, "{}", lines[0]);
    }
}

#[test]
fn top_says_who_is_refused_most_and_since_when() {
    let (tollgate, listen) = serve(Options::default());
    for (client, times) in [("ann", 12), ("bob", 5), ("cid", 2)] {
        ask(&tollgate, client, times);
    }
    let run = |arguments: &[&str]| {
        let finished = Options::default().set("admin.listen", &listen).run(arguments);
        assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
        finished.stdout
    };
    let text = run(&["top"]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].starts_with("        10  header:x-client:ann under default (refused, since "),
        "{text}"
    );
    let top: Value =
        serde_json::from_str(&run(&["top", "--by", "busiest", "--json"])).expect("JSON");
    let counts: Vec<_> =
        top["keys"].as_array().expect("keys").iter().map(|it| &it["count"]).collect();
    assert_eq!(counts, [12, 5, 2]);
    assert_eq!(top["keys"][0]["refused"], 10);
    assert_eq!(
        run(&["top", "--policy", "none"]),
        "No request was refused in the last 5 to 10 minutes.\n"
    );
    let finished = Options::default().set("admin.listen", &listen).run(&["top", "--by", "name"]);
    assert_eq!(finished.status.code(), Some(2));
}

#[test]
fn a_user_whose_id_is_hashed_is_nowhere_by_name() {
    let key = Options::default().run(&["keys", "new", "--user", "jane-doe"]);
    let mut lines = key.stdout.lines();
    let (key, line) = (lines.next().expect("a key"), lines.next().expect("a line"));
    let listen = format!("127.0.0.1:{}", port::free());
    let mut tollgate = Options::default()
        .config(&format!("[auth.keys]\n{line}\n"))
        .set("store.url", "memory:")
        .set("store.hash_users", "true")
        .set("admin.listen", &listen)
        .set("policies.default.quota", "1/52 weeks")
        .env("RUST_LOG", "tollgate=debug")
        .serve();
    let value = format!("Bearer {key}");
    for _ in 0..3 {
        tollgate.get("/api/data", &[("authorization", value.as_bytes())]);
    }
    let run = |arguments: &[&str]| {
        let finished = Options::default().set("admin.listen", &listen).run(arguments);
        assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
        finished.stdout
    };
    // An operator types the ID all the same.
    run(&["ban", "user:jane-doe", "--for", "1h"]);
    let shown = [run(&["top"]), run(&["list"]), run(&["audit"]), run(&["peek", "user:jane-doe"])];
    let metrics = Client::of(format!("http://{listen}")).get("/metrics", &[]).body;
    tollgate.signal(Signal::TERM);
    tollgate.wait();
    let log = tollgate.rest_of_stderr().join("\n");
    for text in shown.iter().chain([&metrics, &log]) {
        assert!(!text.contains("jane"), "{text}");
    }
    assert!(shown[0].contains("user:#"), "{}", shown[0]);
}
