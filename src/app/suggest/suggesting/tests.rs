use std::fs;

use tempfile::TempDir;

use super::*;
use crate::app::config::{self, Sources};
use crate::app::suggest::goal::Of;
use crate::app::suggest::report::Refusals;
use crate::app::suggest::samples::{ALGORITHMS, counting};
use crate::domain::clock::Millis;
use crate::domain::policy::Share;

/// A hundred clients, each of which sends as many requests at once as its number says.
fn traffic() -> Traffic {
    (1..=100).map(|number| (0..number).map(|_| 60_000 as Millis).collect()).collect()
}

fn of_window(goal: Goal, key: &KeySource, traffic: &Traffic, window: &str) -> OfWindow {
    let suggesting = Suggesting { traffic, goal, key, algorithms: &ALGORITHMS, charge_on: None };
    suggesting.of_window(window.parse().expect(window)).expect("a suggestion")
}

fn share(text: &str) -> Share {
    text.parse().expect(text)
}

#[test]
fn a_quota_comes_with_what_supports_it() {
    let goal = Goal { share: share("3.5%"), of: Of::Clients };
    let found = of_window(goal, &KeySource::UserOrIp, &traffic(), "minute");
    assert_eq!((found.window.as_str(), found.window_ms), ("minute", 60_000));
    assert_eq!(
        found.peaks,
        Peaks { clients: 100, p50: 50, p90: 90, p99: 99, p99_9: 100, max: 100 }
    );
    for suggestion in found.suggestions {
        let found = suggestion.found.expect(suggestion.algorithm);
        // 3.5 of a hundred are three clients: the last three send 1, 2 and 3 requests too many.
        assert_eq!((found.units, found.quota.as_str()), (97, "97/minute"));
        assert_eq!(found.refused, Refusals { clients: 3, requests: 6 });
        assert_eq!(found.refused_with_one_less, Some(Refusals { clients: 4, requests: 10 }));
        assert_eq!((found.busiest_not_refused, found.busiest_uses_percent), (Some(97), Some(100)));
        assert_eq!(found.units_with_margin, 122);
    }
}

#[test]
fn a_share_of_requests_is_another_quota() {
    let goal = Goal { share: share("0.2%"), of: Of::Requests };
    let found = of_window(goal, &KeySource::UserOrIp, &traffic(), "day");
    for suggestion in found.suggestions {
        let found = suggestion.found.expect(suggestion.algorithm);
        // 0.2 % of 5050 requests are ten.
        assert_eq!((found.units, found.refused.requests), (96, 10));
    }
}

#[test]
fn without_requests_there_is_no_quota_and_a_reason() {
    let goal = Goal { share: share("1%"), of: Of::Clients };
    let found = of_window(goal, &KeySource::UserOrIp, &Traffic::default(), "hour");
    assert_eq!(found.peaks, Peaks::default());
    for suggestion in found.suggestions {
        assert!(suggestion.found.is_none());
        assert_eq!(suggestion.not_found.as_deref(), Some("There is no request to count."));
    }
}

#[test]
fn a_quota_that_would_be_too_large_is_a_reason() {
    let requests = crate::domain::algorithm::LARGEST_LOG + 5;
    let traffic: Traffic = [(0..requests).map(|_| 60_000).collect()].into_iter().collect();
    let goal = Goal { share: share("0%"), of: Of::Requests };
    let key = KeySource::Ip;
    let algorithms = [Algorithm::SlidingLog];
    let suggesting =
        Suggesting { traffic: &traffic, goal, key: &key, algorithms: &algorithms, charge_on: None };
    let found = suggesting.of_window("minute".parse().unwrap()).expect("a suggestion");
    assert_eq!(
        found.suggestions[0].not_found.as_deref(),
        Some(
            "The largest quota of a sliding-log is 100000/minute, and refuses 5 requests: more than 0%."
        )
    );
}

#[test]
fn the_policy_to_paste_is_the_one_that_was_tried_out() {
    let directory = TempDir::new().unwrap();
    for key in ["ip", "user", "user-or-ip", "header:x-device"] {
        let key: KeySource = key.parse().unwrap();
        for window in ["second", "10 minutes", "week"] {
            let goal = Goal { share: share("1%"), of: Of::Clients };
            let found = of_window(goal, &key, &traffic(), window);
            for (suggestion, algorithm) in found.suggestions.into_iter().zip(ALGORITHMS) {
                let found = suggestion.found.expect(suggestion.algorithm);
                let file = directory.path().join("suggested.toml");
                fs::write(&file, &found.toml).unwrap();
                let sources = Sources { files: vec![file], ..Sources::default() };
                let config = config::load(&sources).unwrap();
                let policy = config.policies.iter().find(|policy| policy.name() == NAME);
                let expected =
                    counting(algorithm, window).policy(found.units, key.clone()).unwrap();
                assert_eq!(policy, Some(&expected), "{}", found.toml);
                assert!(found.toml.contains(&format!("# {}/", found.units_with_margin)));
            }
        }
    }
}
