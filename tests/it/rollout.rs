//! Policies that are in force for nobody, for a share of clients, or beside a candidate.

use std::collections::BTreeSet;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;

/// The command by this configuration, and who asks as its operator.
fn serve(url: &str, config: &str) -> (Tollgate, Client) {
    let listen = format!("127.0.0.1:{}", port::free());
    let tollgate = Options::default()
        .config(config)
        .set("store.url", url)
        .set("admin.listen", &listen)
        .serve();
    (tollgate, Client::of(format!("http://{listen}")))
}

/// Runs `test` over both stores.
fn over_each_store(test: impl Fn(&str)) {
    let redis = Server::start();
    test("memory:");
    test(&redis.url());
}

/// How often a policy that is tried out would have changed what.
fn tried(operator: &Client, policy: &str, kind: &str, outcome: &str) -> u64 {
    let name = format!(
        "tollgate_policy_trials_total{{policy=\"{policy}\",kind=\"{kind}\",outcome=\"{outcome}\"}} "
    );
    let text = operator.get("/metrics", &[]).body;
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value.map_or(0, |value| value.parse().expect("a number"))
}

fn statuses(tollgate: &Tollgate, count: usize) -> Vec<u16> {
    (0..count).map(|_| tollgate.get("/api/data", &[]).status).collect()
}

#[test]
fn a_shadow_is_decided_and_charged_beside_the_others_and_refuses_nothing() {
    over_each_store(|url| {
        let config = "[policies.live]\nquota = \"5/52 weeks\"\n\
                      [policies.new]\nquota = \"3/52 weeks\"\nmode = \"shadow\"\n\
                      [routes.\"/api/data\"]\npolicies = [\"new\", \"live\"]\n\
                      [routes.\"/api/status\"]\npeek = [\"new\", \"live\"]\n";
        let (tollgate, operator) = serve(url, config);
        for path in ["/api/data", "/api/status"] {
            let response = tollgate.get(path, &[]);
            assert_eq!(response.header("ratelimit-policy"), Some("\"live\";q=5;w=31449600"));
            let field = response.header("ratelimit").expect("where the policy in force stands");
            assert!(field.starts_with("\"live\";r=4;") && !field.contains("new"), "{field}");
        }
        assert_eq!(statuses(&tollgate, 6), [200, 200, 200, 200, 429, 429]);
        let body = tollgate.get("/api/data", &[]).body;
        assert!(body.contains("\"violated-policies\":[\"live\"]"), "{body}");
        // Of five requests that passed, it admitted three. It is not asked about others.
        assert_eq!(tried(&operator, "new", "shadow", "would_deny"), 2);
        // Once it is in force, what it has counted counts.
        tollgate.rewrite_config(&config.replace("mode = \"shadow\"\n", "").replace("5/52", "9/52"));
        crate::support::threads::until("the policy is in force", || {
            tollgate
                .get("/api/status", &[])
                .header("ratelimit-policy")
                .is_some_and(|it| it.contains("new"))
        });
        assert_eq!(statuses(&tollgate, 1), [429]);
    });
}

#[test]
fn a_shadow_with_nothing_beside_it_is_decided_by_the_store_as_well() {
    over_each_store(|url| {
        let config = "[policies.new]\nquota = \"3/52 weeks\"\nmode = \"shadow\"\n\
                      [routes.\"/api/data\"]\npolicies = [\"new\"]\n";
        let (tollgate, operator) = serve(url, config);
        assert_eq!(statuses(&tollgate, 5), [200; 5]);
        let tried = |outcome| tried(&operator, "new", "shadow", outcome);
        assert_eq!((tried("agrees"), tried("would_deny")), (3, 2));
        let metrics = operator.get("/metrics", &[]).body;
        assert!(metrics.contains("tollgate_decisions_total{by=\"fallback\"} 0"), "{metrics}");
    });
}

#[test]
fn a_candidate_is_decided_on_the_same_requests_in_place_of_the_quota() {
    over_each_store(|url| {
        for (candidate, would_deny, would_admit) in [("2/52 weeks", 1, 0), ("5/52 weeks", 0, 2)] {
            let config = format!(
                "[policies.default]\nquota = \"3/52 weeks\"\ncandidate = \"{candidate}\"\n\
                 [store]\nkey_prefix = \"{would_deny}\"\n"
            );
            let (tollgate, operator) = serve(url, &config);
            assert_eq!(statuses(&tollgate, 7), [200, 200, 200, 429, 429, 429, 429]);
            let field = tollgate.get("/api/status", &[]);
            assert_eq!(field.header("ratelimit-policy"), Some("\"default\";q=3;w=31449600"));
            let tried = |outcome| tried(&operator, "default", "candidate", outcome);
            assert_eq!(
                (tried("would_deny"), tried("would_admit")),
                (would_deny, would_admit),
                "{candidate}"
            );
        }
    });
}

#[test]
fn a_share_of_clients_is_the_same_clients_in_every_process() {
    let config = "[policies.default]\nquota = \"1/52 weeks\"\nenforce = \"25%\"\nkey = \"header:x-client\"\n";
    let limited = || {
        let (tollgate, operator) = serve("memory:", config);
        let is_limited = |client: &u32| {
            let name = client.to_string();
            let status = |_| tollgate.get("/api/data", &[("x-client", name.as_bytes())]).status;
            let statuses = [1, 2].map(status);
            assert_eq!(statuses[0], 200);
            statuses[1] == 429
        };
        let limited: BTreeSet<u32> = (0..400).filter(is_limited).collect();
        let spared = 400 - limited.len() as u64;
        assert_eq!(tried(&operator, "default", "shadow", "would_deny"), spared);
        limited
    };
    let first = limited();
    assert_eq!(first, limited());
    // Four standard deviations around a quarter.
    assert!((65..=135).contains(&first.len()), "{} of 400", first.len());
}

#[test]
fn a_policy_that_is_off_is_as_good_as_none() {
    over_each_store(|url| {
        let config = "[policies.default]\nquota = \"1/52 weeks\"\nmode = \"off\"\n";
        let (tollgate, operator) = serve(url, config);
        assert_eq!(statuses(&tollgate, 3), [200; 3]);
        assert_eq!(tollgate.get("/api/data", &[]).header("ratelimit"), None);
        assert_eq!(tried(&operator, "default", "shadow", "would_deny"), 0);
    });
}

#[test]
fn a_policy_that_refuses_nothing_refuses_nothing_while_the_store_is_away() {
    let mut redis = Server::start();
    let config = "[policies.default]\nquota = \"1/52 weeks\"\nmode = \"shadow\"\non_store_failure = \"deny\"\n";
    let (tollgate, _operator) = serve(&redis.url(), config);
    redis.kill();
    assert_eq!(statuses(&tollgate, 20), [200; 20]);
}
