//! The figures of one policy, with their names, as the text and the page list them.

use super::words::{brief, count, duration, share};
use crate::app::simulate::report::PolicyOutcome;

/// A figure.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    /// What else there is to say about it; may be empty.
    pub(super) note: String,
}

/// What there is to say of a policy in numbers.
pub(super) fn facts(policy: &PolicyOutcome) -> Vec<Fact> {
    let of_requests = |number| format!("{} of the requests", share(number, policy.requests));
    let of_clients = |number| format!("{} of the clients", share(number, policy.clients));
    let mut facts = vec![
        fact("requests", count(policy.requests), String::new()),
        fact("denied", count(policy.denied), of_requests(policy.denied)),
    ];
    if policy.denied > 0 {
        let number = policy.denied_without_top_ten;
        facts.push(fact("denied without the top ten", count(number), of_requests(number)));
    }
    facts.extend([
        fact("clients", count(policy.clients), String::new()),
        fact("clients denied", count(policy.clients_denied), of_clients(policy.clients_denied)),
        fact("clients at 90 % of the quota", count(policy.clients_near), near(policy)),
    ]);
    facts.extend(ranks(policy).map(|(name, denied)| fact(name, count(denied), String::new())));
    if policy.denied > 0 {
        let client = policy.longest_closed_client.as_deref();
        let client = client.map(|client| format!("without a break, of {}", brief(client)));
        let length = duration(policy.longest_closed_ms);
        facts.push(fact("longest time denied", length, client.unwrap_or_default()));
    }
    facts
}

fn fact(name: &'static str, value: String, note: String) -> Fact {
    Fact { name, value, note }
}

fn near(policy: &PolicyOutcome) -> String {
    match policy.clients_near {
        0 => String::new(),
        near => format!("{} of them, never denied", share(near, policy.clients)),
    }
}

/// The denials of some clients in the order of denials, as far as so many were denied.
fn ranks(policy: &PolicyOutcome) -> impl Iterator<Item = (&'static str, u64)> {
    let ranks = [
        ("denials of the 2nd client", policy.denied_of_second),
        ("denials of the 10th client", policy.denied_of_tenth),
        ("denials of the 100th client", policy.denied_of_hundredth),
    ];
    ranks.into_iter().filter(|(_, denied)| *denied > 0)
}
