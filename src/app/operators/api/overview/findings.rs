//! What an operator should look at: policies that do nothing, or not what is meant.

use serde::Serialize;

use super::policies::Shown;
use crate::app::auth::FAILURES;
use crate::app::observation::{LastHour, PolicyCount, TopKey};

/// Fewer requests than this say nothing about a policy.
const FEWEST: u64 = 50;

/// The minutes that the counts of keys cover at most.
const KEY_MINUTES: usize = 10;

/// Something that an operator should look at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// A short name that never changes.
    pub(super) code: &'static str,
    pub(super) policy: String,
    /// The client that it is about, if it is about one.
    pub(super) key: Option<String>,
    /// It as sentences.
    pub(super) text: String,
}

/// What is found of `policies`, by what was counted over the `hour` and by the `busiest` keys.
pub(super) fn findings(policies: &[Shown], hour: &LastHour, busiest: &[TopKey]) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in policies.iter().filter(|it| it.mode != "off" && it.name != FAILURES) {
        let mut find = |code, key, text: String| {
            found.push(Finding { code, policy: policy.name.clone(), key, text });
        };
        if !policy.is_met {
            let text = "No request met this policy since the configuration was taken. Does a route name it, and does \
                        the route match?";
            find("policy-unmet", None, text.to_owned());
            continue;
        }
        let (met, no_key) = (policy.hour.met(), policy.hour.no_key);
        if met >= FEWEST && no_key * 2 > met {
            let text = format!(
                "{} of its requests have nothing that it counts by, and share one quota. Does the user or the \
                 header field arrive?",
                share(no_key, met)
            );
            find("policy-no-key", None, text);
        }
        let (near, admitted) = (policy.hour.near_limit, policy.hour.admitted);
        if admitted >= FEWEST && near * 10 > admitted {
            let text = format!(
                "{} of the admitted requests left less than a tenth of the quota: clients come near the limit.",
                share(near, admitted)
            );
            find("policy-near-limit", None, text);
        }
        if let Some((key, text)) = one_key(&policy.name, hour, busiest) {
            find("one-key", Some(key), text);
        }
    }
    found
}

/// A key that takes most of what a policy is met by, as a proxy's address does that is not known as one.
fn one_key(policy: &str, hour: &LastHour, busiest: &[TopKey]) -> Option<(String, String)> {
    let key = busiest.iter().find(|it| *it.policy == *policy)?;
    let met = [
        PolicyCount::Admitted,
        PolicyCount::Denied,
        PolicyCount::Spared,
        PolicyCount::ShadowAgrees,
        PolicyCount::ShadowDenies,
    ];
    let met: u64 = met.into_iter().map(|what| hour.last(KEY_MINUTES, policy, what)).sum();
    let least = key.count.saturating_sub(key.error);
    // A key that all clients share has all requests, and is meant to.
    let is_one = met >= FEWEST && least * 2 > met && &*key.key != "global";
    let text = || {
        format!(
            "One client has at least {} of the requests of the last minutes. If it is the address of a proxy, \
             client_ip.trusted_proxies should list it.",
            share(least.min(met), met)
        )
    };
    is_one.then(|| (key.key.to_string(), text()))
}

/// `part` of `whole` in percent.
fn share(part: u64, whole: u64) -> String {
    format!("{} %", part * 100 / whole.max(1))
}
