use std::fs;

use tempfile::TempDir;

use super::*;
use crate::app::access_log::ReadOptions;
use crate::app::config::{self, Sources};

/// Four requests of one client in a second, and one of each of two others.
const LOG: &str = r#"203.0.113.7 - alice [10/Oct/2026:13:55:36 +0000] "GET /api/data HTTP/1.1" 200 5
203.0.113.7 - alice [10/Oct/2026:13:55:36 +0000] "POST /login HTTP/1.1" 200 5
203.0.113.7 - bob [10/Oct/2026:13:55:36 +0000] "GET /api/data HTTP/1.1" 200 5
203.0.113.7 - - [10/Oct/2026:13:55:36 +0000] "GET /api/data HTTP/1.1" 200 5
203.0.113.8 - - [10/Oct/2026:13:55:37 +0000] "POST /login HTTP/1.1" 200 5
10.0.0.9 - - [10/Oct/2026:13:55:38 +0000] "GET /api/data HTTP/1.1" 200 5
"#;

fn suggested(settings: &[&str], key: &str, routes: &[&str]) -> Suggestions {
    suggested_for(None, settings, key, routes)
}

fn suggested_for(
    charge_on: Option<&str>,
    settings: &[&str],
    key: &str,
    routes: &[&str],
) -> Suggestions {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("access.log");
    fs::write(&file, LOG).unwrap();
    let read = ReadOptions { files: vec![file], ..ReadOptions::default() };
    let settings = settings.iter().map(|it| (*it).to_owned()).collect();
    let config = config::load(&Sources { settings, ..Sources::default() }).unwrap();
    let wanted = Wanted {
        goal: Goal { share: "0%".parse().unwrap(), of: Of::Clients },
        windows: vec!["second".parse().unwrap(), "day".parse().unwrap()],
        algorithms: vec![Algorithm::FixedWindow, Algorithm::TokenBucket { burst: 1 }],
        key: key.parse().unwrap(),
        routes: routes.iter().map(|route| route.parse().unwrap()).collect(),
        charge_on: charge_on.map(|status| Statuses::new([status]).unwrap()),
        threads: NonZeroUsize::MIN,
    };
    suggest(&wanted, &config, AccessLog::open(&read).unwrap(), |_| true).unwrap()
}

fn units(suggestions: &Suggestions) -> Vec<u64> {
    let all = suggestions.windows.iter().flat_map(|window| &window.suggestions);
    all.map(|it| it.found.as_ref().unwrap().units).collect()
}

#[test]
fn only_requests_with_a_status_that_counts_are_counted() {
    let counted = |status| suggested_for(Some(status), &[], "ip", &[]).counted;
    let none = counted("401");
    assert_eq!((none.requests, none.other_statuses), (0, 6));
    let all = suggested_for(Some("2xx"), &[], "ip", &[]);
    assert_eq!((all.counted.requests, all.counted.other_statuses), (6, 0));
    let found = all.windows[0].suggestions[0].found.as_ref().unwrap();
    assert!(found.toml.ends_with("charge_on = [\"2xx\"]\n"), "{}", found.toml);
}

#[test]
fn clients_are_told_apart_as_the_configuration_says() {
    // Nobody proves a user, so clients are addresses.
    let by_address = suggested(&[], "user-or-ip", &[]);
    assert_eq!((by_address.counted.clients, by_address.counted.requests), (3, 6));
    assert_eq!(units(&by_address), [4, 4, 4, 4]);
    // One that proves users makes the same address three clients.
    let proven = ["auth.user_header=x-user", "client_ip.trusted_proxies=192.0.2.1"];
    let by_user = suggested(&proven, "user-or-ip", &[]);
    assert_eq!((by_user.counted.clients, by_user.counted.without_user), (5, 3));
    assert_eq!(units(&by_user), [2, 2, 2, 2]);
    assert_eq!(suggested(&proven, "user", &[]).counted.clients, 3);
}

#[test]
fn only_requests_of_the_routes_are_counted() {
    let routes = ["POST /login", "POST /login", "/other/*"];
    let counted = suggested(&[], "ip", &routes).counted;
    assert_eq!((counted.clients, counted.requests, counted.other_routes), (2, 2, 4));
}

#[test]
fn clients_on_access_lists_are_not_counted() {
    let lists = ["access.allow=10.0.0.0/8", "access.block=203.0.113.8"];
    let suggestions = suggested(&lists, "ip", &[]);
    let counted = suggestions.counted;
    assert_eq!((counted.clients, counted.requests, counted.on_access_lists), (1, 4, 2));
    assert!(suggestions.caveats.iter().any(|it| it.contains("access list: 2. They are not")));
}

#[test]
fn a_report_says_what_the_log_cannot_show() {
    let caveats = suggested(&[], "user-or-ip", &[]).caveats;
    for said in [
        "The quotas of a second cannot be relied on.",
        "The log is shorter than the longest window (day).",
        "Requests that name a user: 3. Nothing in the configuration proves users",
    ] {
        assert!(caveats.iter().any(|caveat| caveat.contains(said)), "{said}: {caveats:?}");
    }
}

#[test]
fn a_report_names_no_client() {
    let json = serde_json::to_string(&suggested(&[], "user-or-ip", &[])).unwrap();
    assert!(!json.contains("203.0.113") && !json.contains("alice"), "{json}");
}
