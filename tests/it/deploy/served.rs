//! The metrics of a running command, over a Redis and after some traffic.

use std::sync::OnceLock;

use super::{Labels, Samples};
use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::until;

/// A policy that denies, one that is tried out, a candidate that would deny, a candidate that would admit, and a policy
/// that is leased.
const CONFIG: &str = r#"
[policies.default]
quota = "3/52 weeks"
candidate = "2/52 weeks"

[policies.strict]
quota = "1/52 weeks"
candidate = "2/52 weeks"

[policies.tried]
quota = "1/52 weeks"
mode = "shadow"

[policies.unrouted]
quota = "1/52 weeks"
lease_ms = 100

[policies.switched-off]
quota = "1/52 weeks"
mode = "off"

[routes."/api/data"]
policies = ["default", "tried"]

[routes."/api/status"]
policies = ["strict"]
"#;

/// What it serves at `/metrics`.
pub(super) fn samples() -> &'static Samples {
    static SAMPLES: OnceLock<Samples> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let redis = Server::start();
        let listen = format!("127.0.0.1:{}", port::free());
        let options = Options::default().config(CONFIG).set("store.url", &redis.url());
        let options = options.set("admin.listen", &listen).set("store.deny_cache_ms", "0");
        let tollgate = options.set("store.examine_interval_ms", "100").serve();
        for path in ["/api/data", "/api/status"] {
            let statuses = [0; 5].map(|_| tollgate.get(path, &[]).status);
            assert_eq!((statuses[0], statuses[4]), (200, 429), "{path}");
        }
        let operator = Client::of(format!("http://{listen}"));
        let mut served = Samples::new();
        // What is looked at from time to time is there after the first look.
        until("the store is looked at", || {
            served = read(&operator.get("/metrics", &[]).body);
            served.contains_key("tollgate_store_round_trip_seconds")
        });
        served
    })
}

fn read(text: &str) -> Samples {
    let mut samples = Samples::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (sample, _) = line.rsplit_once(' ').expect("a value");
        let (name, labels) = sample.split_once('{').unwrap_or((sample, ""));
        let labels = labels.trim_end_matches('}').split("\",").filter(|it| !it.is_empty());
        let labels: Labels = labels
            .map(|label| label.split_once("=\"").expect("a label and its value"))
            .map(|(label, value)| (label.to_owned(), value.trim_end_matches('"').to_owned()))
            .collect();
        samples.entry(name.to_owned()).or_default().insert(labels);
    }
    samples
}

#[test]
fn prometheus_can_take_quantiles_of_every_histogram() {
    let mut histograms = 0;
    for (name, samples) in samples().iter().filter(|(name, _)| name.ends_with("_bucket")) {
        histograms += 1;
        let bounds: Vec<&str> = samples.iter().map(|labels| labels["le"].as_str()).collect();
        // Without this bound each quantile is not a number.
        assert!(bounds.contains(&"+Inf"), "{name} {bounds:?}");
        let others = bounds.iter().filter(|bound| **bound != "+Inf");
        let values = others.map(|bound| bound.parse::<f64>().expect("a number"));
        assert!(values.into_iter().all(|bound| bound <= 1_000.0), "{name} {bounds:?}");
    }
    assert!(histograms > 0);
}

#[test]
fn policies_that_nobody_is_to_meet_are_not_said_to_be_unmet() {
    let policies: Vec<&str> =
        samples()["tollgate_policy_unmet"].iter().map(|labels| labels["policy"].as_str()).collect();
    assert_eq!(policies, ["default", "strict", "tried", "unrouted"]);
}
