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
    let (one, other) = (three(&redis.url()).serve(), three(&redis.url()).serve());
    assert_eq!(statuses(&one, "wrong", 2), [401, 401]);
    assert_eq!(statuses(&other, "wrong", 2), [401, 429]);
    assert_eq!((bearer(&one, KEY).status, bearer(&other, KEY).status), (429, 429));
    let dump = redis.dump();
    let keys: Vec<_> = dump.keys().filter(|key| !key.starts_with(b"tollgate:{probe")).collect();
    assert_eq!(keys, [b"tollgate:{ip:127.0.0.1}:auth-failures:fw1"], "and nothing of the user");
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
