//! What is decided, and what of that Envoy is told.

use super::client::messages::Unit;
use super::client::{Code, codes, descriptor, field, remaining, request, with_hits};
use super::client::{RateLimitDescriptor, RateLimitRequest};
use super::{serve, serve_with};
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::redis::Server;

const CONFIG: &str = r#"
[store]
url = "memory:"

[policies.logins]
quota = "10/day"
key = "descriptor"

[policies.by-ip]
quota = "3/day"
key = "ip"

[policies.wide]
quota = "5/30 seconds"
key = "descriptor"

[policies.busy]
quota = "100/day"
in_flight = 2
slot_ms = 3600000
reserve = "50%"
key = "global"

[policies.bucket]
quota = "2/second"
algorithm = "token-bucket"
key = "descriptor"

[routes."/api/data"]
policies = ["by-ip"]

[descriptors.edge."generic_key"]
policies = ["logins"]

[descriptors.edge."remote_address"]
policies = ["by-ip"]
ip = "remote_address"

[descriptors.edge."half_minute"]
policies = ["wide"]

[descriptors.edge."busy"]
policies = ["busy"]

[descriptors.edge."dear"]
policies = ["busy"]
uses_reserve = true

[descriptors.edge."bucket"]
policies = ["bucket"]

[descriptors.edge."free"]
policies = []

[descriptors.edge."refused"]
refuse = true
"#;

#[test]
fn the_eleventh_call_is_over_the_limit() {
    let (_tollgate, envoy) = serve(CONFIG);
    let login = || vec![descriptor("generic_key=login")];
    for left in (0..10).rev() {
        let response = envoy.decide(login());
        assert_eq!(codes(&response), (Code::Ok, vec![Code::Ok]));
        let status = &response.statuses[0];
        let limit = status.current_limit.as_ref().expect("a limit");
        assert_eq!((limit.name.as_str(), limit.requests_per_unit), ("logins", 10));
        assert_eq!((limit.unit(), status.limit_remaining), (Unit::Day, left));
        let until_reset = status.duration_until_reset.expect("a duration").seconds;
        assert!((1..=86_400).contains(&until_reset), "{until_reset}");
        let fields = format!("\"logins\";r={left};t={until_reset}");
        assert_eq!(field(&response, "ratelimit"), Some(fields.as_str()));
        assert_eq!(field(&response, "ratelimit-policy"), Some("\"logins\";q=10;w=86400"));
        assert_eq!(field(&response, "retry-after"), None);
    }
    let response = envoy.decide(login());
    assert_eq!(codes(&response), (Code::OverLimit, vec![Code::OverLimit]));
    let wait = response.statuses[0].duration_until_reset.expect("a duration").seconds;
    assert!((1..=86_400).contains(&wait), "{wait}");
    assert_eq!(field(&response, "retry-after"), Some(wait.to_string().as_str()));
    assert_eq!(field(&response, "ratelimit"), Some(format!("\"logins\";r=0;t={wait}").as_str()));
    // Another value has a count of its own.
    assert_eq!(remaining(&envoy.decide(vec![descriptor("generic_key=search")])), [9]);
}

#[test]
fn a_policy_that_is_exhausted_through_one_door_is_exhausted_at_the_other() {
    for store in [None, Some(Server::start())] {
        let options = Options::default().config(CONFIG).set("policies.by-ip.ipv6_prefix", "64");
        let options = match &store {
            None => options,
            Some(redis) => options.set("store.url", &redis.url()),
        };
        let (tollgate, envoy) = serve_with(options);
        let local = || vec![descriptor("remote_address=127.0.0.1")];
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        assert_eq!(remaining(&envoy.decide(local())), [1]);
        assert_eq!(tollgate.get("/api/data", &[]).status, 200);
        assert_eq!(codes(&envoy.decide(local())).0, Code::OverLimit);
        assert_eq!(tollgate.get("/api/data", &[]).status, 429);
        assert_eq!(remaining(&envoy.decide(vec![descriptor("remote_address=203.0.113.7")])), [2]);
    }
}

#[test]
fn one_of_three_that_has_no_room_leaves_the_others_uncharged() {
    let (_tollgate, envoy) = serve(CONFIG);
    envoy.decide(vec![with_hits("generic_key=b", 10)]);
    let all = || ["generic_key=a", "generic_key=b", "generic_key=c"].map(descriptor).to_vec();
    for _ in 0..3 {
        let response = envoy.decide(all());
        let expected = vec![Code::Ok, Code::OverLimit, Code::Ok];
        assert_eq!(codes(&response), (Code::OverLimit, expected));
        assert_eq!(remaining(&response), [10, 0, 10]);
    }
}

#[test]
fn each_descriptor_has_hits_of_its_own() {
    let (_tollgate, envoy) = serve(CONFIG);
    let descriptors = vec![
        with_hits("generic_key=a", 4),
        descriptor("generic_key=b"),
        with_hits("generic_key=c", 0),
    ];
    let request = RateLimitRequest { hits_addend: 3, ..request(descriptors) };
    let response = envoy.ask(request.clone()).expect("an answer");
    assert_eq!(remaining(&response), [6, 7, 10]);
    let response = envoy.ask(request.clone()).expect("an answer");
    assert_eq!(remaining(&response), [2, 4, 10]);
    let response = envoy.ask(request).expect("an answer");
    assert_eq!(codes(&response), (Code::OverLimit, vec![Code::OverLimit, Code::Ok, Code::Ok]));
}

#[test]
fn negative_hits_give_back_what_was_used_and_no_more() {
    for store in [None, Some(Server::start())] {
        let options = Options::default().config(CONFIG);
        let options = match &store {
            None => options,
            Some(redis) => options.set("store.url", &redis.url()),
        };
        let (_tollgate, envoy) = serve_with(options);
        let give_back =
            |text, hits| RateLimitDescriptor { is_negative_hits: true, ..with_hits(text, hits) };
        assert_eq!(remaining(&envoy.decide(vec![with_hits("generic_key=a", 10)])), [0]);
        let over = envoy.decide(vec![descriptor("generic_key=a")]);
        assert_eq!(codes(&over).0, Code::OverLimit);
        let given_back = envoy.decide(vec![give_back("generic_key=a", 4)]);
        assert_eq!(codes(&given_back), (Code::Ok, vec![Code::Ok]));
        // A denial that was remembered is forgotten as well.
        assert_eq!(remaining(&envoy.decide(vec![descriptor("generic_key=a")])), [3]);
        envoy.decide(vec![give_back("generic_key=a", 1_000)]);
        assert_eq!(remaining(&envoy.decide(vec![descriptor("generic_key=a")])), [9]);
        // What is given back beside charges is given back if these are admitted.
        envoy.decide(vec![with_hits("generic_key=b", 10)]);
        let both = || vec![descriptor("generic_key=b"), give_back("generic_key=a", 1)];
        assert_eq!(codes(&envoy.decide(both())).0, Code::OverLimit);
        assert_eq!(remaining(&envoy.decide(vec![with_hits("generic_key=a", 0)])), [9]);
        envoy.decide(vec![give_back("generic_key=b", 1)]);
        assert_eq!(codes(&envoy.decide(both())), (Code::Ok, vec![Code::Ok, Code::Ok]));
        assert_eq!(remaining(&envoy.decide(vec![with_hits("generic_key=a", 0)])), [10]);
    }
}

#[test]
fn a_client_that_is_blocked_or_banned_is_over_the_limit() {
    let options = Options::default().config(CONFIG).set("access.block", "203.0.113.0/24");
    let penalty = "{ denials = 1, within_ms = 60000, ban_ms = 60000 }";
    let config =
        CONFIG.replace("[policies.by-ip]", &format!("[policies.by-ip]\npenalty = {penalty}"));
    // The end of a ban is told exactly.
    let options = options.config(&config).set("headers.retry_jitter", "100%");
    let (_tollgate, envoy) = serve_with(options);
    let ask = |address| {
        let text = format!("remote_address={address}");
        envoy.decide(vec![descriptor("generic_key=a"), descriptor(&text)])
    };
    let blocked = ask("203.0.113.7");
    assert_eq!(codes(&blocked), (Code::OverLimit, vec![Code::Ok, Code::OverLimit]));
    assert_eq!(blocked.statuses[1].duration_until_reset, None);
    for _ in 0..4 {
        ask("198.51.100.7");
    }
    let banned = ask("198.51.100.7");
    assert_eq!(banned.overall_code(), Code::OverLimit);
    assert_eq!(field(&banned, "retry-after"), Some("60"));
    assert_eq!(remaining(&envoy.decide(vec![with_hits("generic_key=a", 0)])), [7]);
}

#[test]
fn what_only_reads_has_to_have_room_as_well() {
    let (_tollgate, envoy) = serve(CONFIG);
    envoy.decide(vec![with_hits("generic_key=a", 10)]);
    let read = envoy.decide(vec![with_hits("generic_key=a", 0)]);
    assert_eq!(codes(&read), (Code::OverLimit, vec![Code::OverLimit]));
}

#[test]
fn a_window_that_envoy_has_no_name_for_is_told_in_header_fields_alone() {
    let (_tollgate, envoy) = serve(CONFIG);
    let response = envoy.decide(vec![descriptor("half_minute=x")]);
    assert_eq!(response.statuses[0].current_limit, None);
    assert_eq!(remaining(&response), [4]);
    assert_eq!(field(&response, "ratelimit-policy"), Some("\"wide\";q=5;w=30"));
}

#[test]
fn the_wait_is_told_in_whole_seconds_and_is_at_least_one() {
    let (_tollgate, envoy) = serve(CONFIG);
    let ask = || envoy.decide(vec![with_hits("bucket=x", 2)]);
    assert_eq!(codes(&ask()).0, Code::Ok);
    let over = ask();
    assert_eq!(codes(&over).0, Code::OverLimit);
    // That it is enough is tested with a clock that is set.
    let wait = over.statuses[0].duration_until_reset.expect("a duration");
    assert_eq!((wait.seconds, wait.nanos), (1, 0));
    assert_eq!(field(&over, "retry-after"), Some("1"));
}

#[test]
fn what_has_no_policy_passes_and_what_is_refused_never_does() {
    let (_tollgate, envoy) = serve(CONFIG);
    let all = ["free=x", "unknown=x", "generic_key=a"].map(descriptor).to_vec();
    let response = envoy.decide(all);
    assert_eq!(codes(&response), (Code::Ok, vec![Code::Ok; 3]));
    assert_eq!(remaining(&response), [u32::MAX, 0, 9]);
    let response = envoy.decide(["generic_key=a", "refused=x"].map(descriptor).to_vec());
    assert_eq!(codes(&response), (Code::OverLimit, vec![Code::Ok, Code::OverLimit]));
    assert_eq!(remaining(&response), [9, 0], "nothing is charged");
    let back = RateLimitDescriptor { is_negative_hits: true, ..with_hits("generic_key=a", 1) };
    let response = envoy.decide(vec![back, descriptor("refused=x")]);
    assert_eq!(codes(&response).0, Code::OverLimit);
    let response = envoy.decide(vec![with_hits("generic_key=a", 0)]);
    assert_eq!(remaining(&response), [9], "nothing is given back");
    let unknown =
        RateLimitRequest { domain: "other".to_owned(), ..request(vec![descriptor("a=b")]) };
    assert_eq!(codes(&envoy.ask(unknown).expect("an answer")), (Code::Ok, vec![Code::Ok]));
}

#[test]
fn what_cannot_be_decided_is_an_invalid_argument() {
    let (_tollgate, envoy) = serve(CONFIG);
    let of_edge = request;
    let none: Vec<RateLimitDescriptor> = Vec::new();
    let many = vec![descriptor("generic_key=a"); 129];
    for (request, expected) in [
        (
            RateLimitRequest { domain: String::new(), ..of_edge(vec![descriptor("a=b")]) },
            "the domain is empty",
        ),
        (of_edge(none), "there are no descriptors"),
        (of_edge(vec![descriptor("")]), "a descriptor has no entries"),
        (of_edge(many), "there are too many descriptors: expected at most 128"),
        (of_edge(vec![with_hits("generic_key=a", 1 << 53)]), "hits_addend is too large"),
        (of_edge(vec![with_hits("generic_key=a", u64::MAX)]), "hits_addend is too large"),
    ] {
        let status = envoy.ask(request).expect_err(expected);
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        assert!(status.message().starts_with(expected), "{status}");
    }
    let most = vec![descriptor("generic_key=a"); 10];
    assert_eq!(codes(&envoy.decide(most)).0, Code::Ok);
}

#[test]
fn concurrent_requests_get_exactly_the_quota() {
    let redis = Server::start();
    let options = Options::default().config(CONFIG).set("store.url", &redis.url());
    let options = options.set("policies.logins.quota", "100/day").set("server.workers", "2");
    // However busy the machine is, Redis decides.
    let options = options.set("store.timeout_ms", "10000");
    let (_tollgate, envoy) = serve_with(options);
    let admitted = envoy.runtime.block_on(async {
        let asked = (0..300)
            .map(|_| tokio::spawn(envoy.asking(request(vec![descriptor("generic_key=a")]))));
        let asked: Vec<_> = asked.collect();
        let mut admitted = 0;
        for answer in asked {
            let response = answer.await.expect("no panic").expect("an answer").into_inner();
            admitted += u32::from(response.overall_code() == Code::Ok);
        }
        admitted
    });
    assert_eq!(admitted, 100);
}

#[test]
fn requests_under_way_hold_slots_and_have_no_time_to_wait_for() {
    let (_tollgate, envoy) = serve(CONFIG);
    let ask =
        |descriptors: &[&str]| envoy.decide(descriptors.iter().map(|it| descriptor(it)).collect());
    let first = ask(&["busy=x"]);
    let fields = (field(&first, "ratelimit-policy"), field(&first, "ratelimit"));
    let policies = r#""busy";q=100;w=86400, "busy/in-flight";q=1;qu="concurrent-requests""#;
    assert_eq!(fields.0, Some(policies));
    assert!(fields.1.is_some_and(|it| it.ends_with(r#""busy/in-flight";r=0"#)), "{fields:?}");
    let denied = ask(&["busy=x"]);
    let status = &denied.statuses[0];
    assert_eq!((codes(&denied).0, field(&denied, "retry-after")), (Code::OverLimit, None));
    assert_eq!((status.current_limit.is_none(), status.duration_until_reset), (true, None));
    assert_eq!(codes(&ask(&["dear=x"])).0, Code::Ok, "the slot that is kept");
    assert_eq!(codes(&ask(&["dear=x"])).0, Code::OverLimit);
}

#[test]
fn a_longer_wait_is_told_alike_everywhere_and_never_shorter() {
    // In a window whose edge no test lives to see.
    let config = CONFIG.replace("10/day", "1/52 weeks");
    let admin = port::free_address().to_string();
    let options = Options::default().config(&config).set("admin.listen", &admin);
    let (_tollgate, envoy) = serve_with(options.set("headers.retry_jitter", "50%"));
    let admin = Client::of(format!("http://{admin}"));
    // Where the client stands, in milliseconds.
    let exact = |field: &str| -> u64 {
        let text = admin.get("/v1/keys?key=descriptor:edge:generic_key=login", &[]).body;
        let body: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let stands = body["policies"].as_array().into_iter().flatten();
        let stands = stands.clone().find(|it| it["policy"] == "logins");
        stands.and_then(|it| it[field].as_u64()).unwrap_or_else(|| panic!("{field}: {text}"))
    };
    let passes = envoy.decide(vec![descriptor("generic_key=login")]);
    let whole = passes.statuses[0].duration_until_reset.expect("a duration").seconds;
    // Exact, but for the time until the second question: half a year might be added.
    let later = seconds(exact("reset_after_ms"));
    assert!((0..600).contains(&(whole - later)), "{whole} {later}");
    assert_eq!(field(&passes, "ratelimit"), Some(&*format!("\"logins\";r=0;t={whole}")));
    let mut waits = Vec::new();
    for _ in 0..10 {
        let before = exact("retry_after_ms");
        let over = envoy.decide(vec![descriptor("generic_key=login")]);
        let after = exact("retry_after_ms");
        let wait = over.statuses[0].duration_until_reset.expect("a duration").seconds;
        assert!((seconds(after)..=seconds(before * 3 / 2)).contains(&wait), "{wait}: {before}");
        assert_eq!(field(&over, "retry-after"), Some(&*wait.to_string()));
        assert_eq!(field(&over, "ratelimit"), Some(&*format!("\"logins\";r=0;t={wait}")));
        waits.push(wait);
    }
    // Without a longer wait, they would differ by what this test takes.
    let (least, most) = (waits.iter().min(), waits.iter().max());
    assert!(most.zip(least).is_some_and(|(most, least)| most - least > 3_600), "{waits:?}");
}

/// Whole seconds, rounded up.
fn seconds(millis: u64) -> i64 {
    i64::try_from(millis.div_ceil(1_000)).expect("a wait")
}
