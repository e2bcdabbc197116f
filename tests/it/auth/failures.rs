use super::*;

/// The key of the user `1042`: its digest is computed by hand, as an operator may.
const KEY: &str = "abc";
const CONFIG: &str = "[auth]\nfailures = \"3/52 weeks\"\n[auth.keys]\n\
    ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad = { user = \"1042\" }";

/// Like [`options`], but for how many wrong credentials are taken.
fn three(store: &str) -> Options {
    Options::default()
        .set("store.url", store)
        .set("store.timeout_ms", "10000")
        .set("policies.default.quota", "100/52 weeks")
        .config(CONFIG)
}

fn statuses(tollgate: &Tollgate, key: &str, count: usize) -> Vec<u16> {
    (0..count).map(|_| bearer(tollgate, key).status).collect()
}

#[test]
fn past_the_limit_of_wrong_credentials_none_is_looked_at() {
    let redis = Server::start();
    for store in ["memory:", &redis.url()] {
        let tollgate = three(store).serve();
        assert_eq!(statuses(&tollgate, KEY, 5), [200; 5], "right ones are no failures");
        assert_eq!(statuses(&tollgate, "wrong", 5), [401, 401, 401, 429, 429]);
        let denied = bearer(&tollgate, KEY);
        assert_eq!(denied.status, 429, "even the right one");
        assert!(denied.header("retry-after").is_some());
        let policy = r#""auth-failures";q=3;w=31449600"#;
        assert_eq!(denied.header("ratelimit-policy"), Some(policy));
        let body: Value = serde_json::from_str(&denied.body).expect("a body of JSON");
        assert_eq!(body["violated-policies"], json!(["auth-failures"]));
        // Who sends none is an address, as before, and was charged nothing.
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 99);
    }
}

#[test]
fn all_processes_on_one_redis_count_the_same_failures() {
    let redis = Server::start();
    let start = || three(&redis.url()).set("store.deny_cache_ms", "0").serve();
    let (one, other) = (start(), start());
    assert_eq!(statuses(&one, "wrong", 2), [401, 401]);
    assert_eq!(statuses(&other, "wrong", 2), [401, 429]);
    assert_eq!((bearer(&one, KEY).status, bearer(&other, KEY).status), (429, 429));
    let dump = redis.dump();
    let keys: Vec<_> = dump.keys().filter(|key| !key.starts_with(b"tollgate:{probe")).collect();
    assert_eq!(keys, [b"tollgate:{ip:127.0.0.1}:auth-failures:f52w"], "and nothing of the user");
}

/// What docs/src/authentication.md says of it: one wrong attempt more, and right ones for as long as that is
/// remembered.
#[test]
fn a_process_that_remembers_an_open_gate_looks_at_one_wrong_credential_more() {
    let redis = Server::start();
    let start = || three(&redis.url()).set("store.deny_cache_ms", "60000").serve();
    let (one, other) = (start(), start());
    assert_eq!(statuses(&one, KEY, 1), [200]);
    assert_eq!(statuses(&other, "wrong", 4), [401, 401, 401, 429]);
    assert_eq!(statuses(&one, KEY, 1), [200], "it does not know yet");
    // That is looked at, and charged to nobody: there is nothing left.
    assert_eq!(statuses(&one, "wrong", 2), [429, 429]);
    assert_eq!(statuses(&one, KEY, 1), [429]);
}

#[test]
fn redis_is_asked_about_a_closed_gate_no_more_often_than_about_a_denied_client() {
    let redis = Server::start();
    let options = three(&redis.url()).set("auth.failures", "10/52 weeks");
    let tollgate = options.set("store.deny_cache_ms", "60000").serve();
    let before = redis.calls("evalsha");
    let statuses = statuses(&tollgate, "nonsense", 3_000);
    assert_eq!(statuses[..10], [401; 10]);
    assert!(statuses[10..].iter().all(|status| *status == 429));
    // Whether the gate is open, and ten charges. Once more where a minute is not enough for the test.
    let calls = redis.calls("evalsha") - before;
    assert!((11..=13).contains(&calls), "{calls}");
}

#[test]
fn an_authenticated_request_costs_redis_no_more_calls_than_one_without_credentials() {
    let redis = Server::start();
    let start = |deny_cache_ms| {
        let options = three(&redis.url()).set("policies.default.quota", "1000000/52 weeks");
        options.set("store.deny_cache_ms", deny_cache_ms).serve()
    };
    let calls = |count, ask: &dyn Fn() -> Response| {
        let before = redis.calls("evalsha");
        assert!((0..count).all(|_| ask().status == 200));
        redis.calls("evalsha") - before
    };
    let tollgate = start("60000");
    let with_key = || bearer(&tollgate, KEY);
    let without = || tollgate.get("/api/data", &[]);
    assert_eq!(calls(1, &with_key), 2, "the first of an address asks about its failures");
    assert_eq!(calls(1_000, &without), 1_000);
    assert_eq!(calls(1_000, &with_key), 1_000);
    // A status is exact: it is asked about each time.
    assert_eq!(calls(10, &|| tollgate.get("/api/status", &[])), 10);

    let tollgate = start("0");
    assert_eq!(calls(10, &|| bearer(&tollgate, KEY)), 20, "nothing is remembered");
}

#[test]
fn without_redis_this_process_counts_failures() {
    let mut redis = Server::start_tcp();
    redis.stop();
    let mut tollgate = three(&redis.tcp_url()).set("store.timeout_ms", "1000").serve();
    tollgate.wait_for_line("does not answer");
    assert_eq!(statuses(&tollgate, KEY, 2), [200, 200]);
    assert_eq!(statuses(&tollgate, "wrong", 5), [401, 401, 401, 429, 429]);
    assert_eq!(bearer(&tollgate, KEY).status, 429);
}

#[test]
fn the_name_of_the_policy_of_failures_is_taken() {
    let finished = three("memory:").set("policies.auth-failures.quota", "1/day").run(&["serve"]);
    assert_eq!(finished.status.code(), Some(78));
    assert!(
        finished.stderr.contains("policies.auth-failures: this is the name of"),
        "{}",
        finished.stderr
    );
}

#[test]
fn an_address_on_access_allow_may_be_wrong_as_often_as_it_likes() {
    let redis = Server::start();
    for store in ["memory:", &redis.url()] {
        let tollgate = three(store).set("access.allow", "127.0.0.1").serve();
        assert_eq!(statuses(&tollgate, "wrong", 6), [401; 6]);
        assert_eq!(statuses(&tollgate, KEY, 2), [200; 2]);
        // A user is known only once its credentials are right.
        let tollgate = three(store)
            .set("store.key_prefix", "by-name")
            .set("access.allow", "user:1042")
            .serve();
        assert_eq!(statuses(&tollgate, "wrong", 4), [401, 401, 401, 429]);
        assert_eq!(statuses(&tollgate, KEY, 1), [429]);
    }
    let dump = redis.dump();
    let counted = dump.keys().filter(|key| key.starts_with(b"tollgate:{ip"));
    assert_eq!(counted.count(), 0, "nothing is counted");
}
