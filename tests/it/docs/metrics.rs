//! The page of metrics has those that there are, and shows what operators are told.

use std::collections::BTreeSet;

use super::page::Page;
use super::shown::{assert_shown, curl};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::redis::Server;
use crate::support::threads::until;

/// The command over a private Redis, and the URL of its operators' listener.
fn serve(redis: &Server) -> (Tollgate, String) {
    let listen = format!("127.0.0.1:{}", port::free());
    let options = Options::default()
        .set("admin.listen", &listen)
        .set("store.url", &redis.url())
        .set("policies.default.candidate", "5/minute")
        .set("policies.default.lease_ms", "100");
    (options.set("store.examine_interval_ms", "100").serve(), format!("http://{listen}"))
}

/// The names of the metrics that are served, with the names of their labels, as in `name{label}`.
fn served(operators: &str) -> BTreeSet<String> {
    let text = curl("curl http://h/metrics", operators);
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let name = |line: &str| {
        let name = line.split(' ').next().expect("a name");
        let Some((name, labels)) = name.split_once('{') else { return name.to_owned() };
        let labels: Vec<_> = labels.split("\",").filter_map(|it| it.split('=').next()).collect();
        format!("{name}{{{}}}", labels.join(","))
    };
    let names: BTreeSet<String> = samples.map(name).collect();
    // Three samples make a histogram.
    let histograms: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_suffix("_bucket{le}").map(str::to_owned))
        .collect();
    let is_part = |name: &String| {
        histograms
            .iter()
            .any(|it| name.strip_prefix(it.as_str()).is_some_and(|rest| rest.starts_with('_')))
    };
    let others: Vec<String> = names.iter().filter(|name| !is_part(name)).cloned().collect();
    others.into_iter().chain(histograms).collect()
}

#[test]
fn every_metric_has_its_row_and_every_row_its_metric() {
    let redis = Server::start();
    let (tollgate, operators) = serve(&redis);
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
    let page = Page::named("docs/src/metrics.md");
    let rows = page.rows().into_iter().filter_map(|row| row[0].strip_prefix("`tollgate_"));
    let documented: BTreeSet<_> =
        rows.map(|name| format!("tollgate_{}", name.trim_end_matches('`'))).collect();
    // What is looked at from time to time is there after the first look.
    until("the store is looked at", || {
        served(&operators).contains("tollgate_store_round_trip_seconds")
    });
    assert_eq!(served(&operators), documented);
}

#[test]
fn readiness_is_as_shown() {
    let redis = Server::start();
    let (_tollgate, operators) = serve(&redis);
    let steps = Page::named("docs/src/metrics.md").steps();
    let shown = steps.iter().find(|step| step.command.starts_with("curl ")).expect("a command");
    assert_shown(&shown.output, &curl(&shown.command, &operators));
}
