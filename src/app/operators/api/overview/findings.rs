//! What an operator should look at: policies that do nothing, or not what is meant.

use serde::Serialize;

use super::policies::Shown;
use crate::app::auth::FAILURES;
use crate::app::observation::BusiestKey;
use crate::app::operators::api::policies::Configured;

/// Fewer requests than this say nothing about a policy.
const FEWEST: u64 = 50;

/// A key with a larger part than this of its policy's requests is worth a look.
const MOST_OF_ONE: f64 = 0.5;

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

/// What is found of `policies`; `busiest` is the busiest key of each, if that says something.
pub(super) fn findings(
    policies: &[Shown],
    busiest: impl Fn(&str) -> Option<BusiestKey>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for policy in policies {
        let Configured { name, mode, .. } = &policy.configured;
        if *mode == "off" || name == FAILURES {
            continue;
        }
        let mut find = |code, key, text: String| {
            found.push(Finding { code, policy: name.clone(), key, text });
        };
        if !policy.is_met {
            let text = "No request met this policy since the configuration was taken. Does a route name it, and does \
                        the route match?";
            find("policy-unmet", None, text.to_owned());
            continue;
        }
        let (met, no_key) = (policy.hour.met, policy.hour.no_key);
        if met >= FEWEST && no_key * 2 > met {
            let text = format!(
                "{} of its requests have nothing that it counts by, and share one quota. Does the user or the \
                 header field arrive?",
                share(no_key, met)
            );
            find("policy-no-key", None, text);
        }
        let (near, admitted) = (policy.hour.near_limit, policy.hour.decided.admitted);
        if admitted >= FEWEST && near * 10 > admitted {
            let text = format!(
                "{} of the admitted requests left less than a tenth of the quota: clients come near the limit.",
                share(near, admitted)
            );
            find("policy-near-limit", None, text);
        }
        if let Some(key) = busiest(name).filter(|key| key.part() > MOST_OF_ONE) {
            let text = format!(
                "One client has at least {:.0} % of the requests of the last minutes. If it is the address of a proxy, \
                 client_ip.trusted_proxies should list it.",
                (key.part() * 100.0).floor()
            );
            find("one-key", Some(key.key().to_owned()), text);
        }
    }
    found
}

/// `part` of `whole` in percent.
fn share(part: u64, whole: u64) -> String {
    format!("{} %", part * 100 / whole.max(1))
}
