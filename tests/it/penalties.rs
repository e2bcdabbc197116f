//! Clients that go on after so many denials are banned, from the built command.

use serde_json::Value;

use crate::support::http::{Client, Response};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// One request a year is admitted, and the twentieth denial within an hour begins a ban of a second.
const LOGIN: &str = "[policies.login]\nquota = \"1/52 weeks\"\nkey = \"ip\"\n\
                     penalty = { denials = 20, within_ms = 3600000, ban_ms = 1000, ban_at_most_ms = 60000 }\n\
                     [routes.\"/api/data\"]\npolicies = [\"login\"]\n\
                     [routes.\"/api/status\"]\npeek = [\"login\"]\n";

struct Served {
    tollgate: Tollgate,
    listen: String,
    operator: Client,
}

impl Served {
    fn by(url: &str, config: &str) -> Self {
        let listen = format!("127.0.0.1:{}", port::free());
        let options = Options::default().config(config).set("store.url", url);
        let tollgate =
            options.set("admin.listen", &listen).set("store.timeout_ms", "10000").serve();
        let operator = Client::of(format!("http://{listen}"));
        Self { tollgate, listen, operator }
    }

    fn ask(&self) -> Response {
        self.tollgate.get("/api/data", &[])
    }

    fn statuses(&self, count: usize) -> Vec<u16> {
        (0..count).map(|_| self.ask().status).collect()
    }

    /// What a command of an operator prints.
    fn output(&self, arguments: &[&str]) -> String {
        let options = Options::default().set("admin.listen", &self.listen).env("USER", "ann");
        let finished = options.run(arguments);
        assert_eq!(finished.status.code(), Some(0), "{arguments:?}: {}", finished.stderr);
        finished.stdout
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.operator.get("/metrics", &[]).body;
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().expect("a number"))
    }
}

/// That a request is refused because of a ban that has so many seconds left.
#[track_caller]
fn assert_banned(response: &Response, seconds: &str) {
    assert_eq!((response.status, response.header("retry-after")), (403, Some(seconds)));
    let body: Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!(body["type"], "urn:tollgate:problem:client-banned");
    assert_eq!(body["banned-for"].to_string(), seconds);
    assert_eq!(response.header("ratelimit"), None);
}

#[test]
fn a_brute_force_is_banned_and_the_next_ban_is_twice_as_long() {
    let redis = Server::start();
    for url in [redis.url(), "memory:".to_owned()] {
        let served = Served::by(&url, LOGIN);
        assert_eq!(served.statuses(20), [&[200][..], &[429; 19]].concat());
        assert_banned(&served.ask(), "1");
        // What only shows where the client stands goes on.
        let status = served.tollgate.get("/api/status", &[]);
        assert_eq!(status.status, 200);
        assert!(status.header("ratelimit").is_some_and(|it| it.starts_with("\"login\";r=0")));
        // The first request after the ban is denied, and counted as the first of the next twenty.
        until("the ban is over", || served.ask().status == 429);
        assert_eq!(served.statuses(18), [429; 18]);
        assert_banned(&served.ask(), "2");
        assert_eq!(
            served.metric("tollgate_policy_decisions_total{policy=\"login\",outcome=\"denied\"}"),
            38
        );
        let banned =
            served.metric("tollgate_policy_decisions_total{policy=\"login\",outcome=\"banned\"}");
        assert!(banned >= 2, "{banned}");
        let requests =
            "tollgate_requests_total{door=\"actix\",route=\"/api/data\",outcome=\"banned\"}";
        assert_eq!(served.metric(requests), banned);
    }
}

#[test]
fn a_ban_holds_in_every_process_and_operators_see_and_end_it() {
    let redis = Server::start();
    let config = LOGIN.replace("ban_ms = 1000, ban_at_most_ms = 60000", "ban_ms = 3600000");
    let served = Served::by(&redis.url(), &config);
    let other = Served::by(&redis.url(), &config);
    assert_eq!(served.statuses(20), [&[200][..], &[429; 19]].concat());
    assert_banned(&served.ask(), "3600");
    assert_eq!(other.ask().status, 403);

    let text = served.output(&["peek", "ip:127.0.0.1", "--policy", "login"]);
    assert!(
        text.contains("; banned by its penalty for 1h")
            || text.contains("; banned by its penalty for 59m"),
        "{text}"
    );
    let text = served.output(&["explain", "GET", "/api/data", "--ip", "127.0.0.1"]);
    assert!(text.contains("banned: The client is banned by the penalty of login"), "{text}");
    let text = served.output(&["unban", "ip:127.0.0.1", "--why", "a mistake"]);
    assert!(text.contains("Ended a ban by the penalty of login.\n"), "{text}");
    assert_eq!(served.ask().status, 429, "its quota is as it was");
    // The other process remembers the ban for a second at most.
    until("the ban has ended in the other process", || other.ask().status == 429);
    let audit = served.output(&["audit"]);
    assert!(audit.contains(" s by the penalty of login -> nothing (a mistake)"), "{audit}");

    until("the client is banned again", || served.ask().status == 403);
    served.output(&["reset", "ip:127.0.0.1", "--policy", "login"]);
    assert_eq!(served.statuses(2), [200, 429]);
}

#[test]
fn a_penalty_that_is_changed_is_taken_at_once() {
    let redis = Server::start();
    let served = Served::by(&redis.url(), LOGIN);
    assert_eq!(served.statuses(11), [&[200][..], &[429; 10]].concat());
    let changed = LOGIN.replace("denials = 20", "denials = 5");
    served.tollgate.rewrite_config(&changed);
    until("the change is taken", || served.metric("tollgate_config_generation ") == 2);
    // Ten denials are counted already, so the next one begins a ban.
    assert_banned(&served.ask(), "1");
}
