//! The section `[policies]`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::client_ip::prefix_of_policy;
use super::in_flight::InFlightOptions;
use super::lease::LeaseOption;
use super::outcomes::Outcomes;
use super::penalty::penalty;
use super::quotas;
use super::refusals;
use super::rollout::RolloutOptions;
use super::timezone::TimezoneOptions;
use crate::app::auth::FAILURES;
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::algorithm::Algorithm;
use crate::domain::key::Ipv6Prefix;
use crate::domain::policy::{KeySource, OnStoreFailure, Policy};
use crate::domain::quota::{MAX_EXACT, Quota, Quotas};
use crate::http::Refusals;

/// Every policy by its name. The name of a bad policy is there as well, without a policy: routes may
/// name it.
pub(super) type Policies = BTreeMap<String, Option<Policy>>;

/// The policies of the section. `plans` gets every plan that one of them names, and `refusals` their own bodies.
pub(super) fn policies(
    section: &mut Section,
    common_prefix: Ipv6Prefix,
    plans: &mut BTreeSet<String>,
    deny_cache: Duration,
    refusals: &mut Refusals,
) -> Policies {
    let policies = section.tables(|name, section| {
        let policy = policy(name, section, common_prefix, plans);
        refusals::add_policy(name, section, refusals);
        let lease = LeaseOption::of(section);
        (name.to_owned(), policy.map(|policy| lease.add_to(policy, deny_cache, section)))
    });
    policies.into_iter().collect()
}

/// The policy in the section; `None` if it is bad. Its plans are added to `plans`. Every option is read,
/// even of a bad policy, so that all errors are found.
fn policy(
    name: &str,
    section: &mut Section,
    common_prefix: Ipv6Prefix,
    plans: &mut BTreeSet<String>,
) -> Option<Policy> {
    let key = section.get("key", KeySource::UserOrIp, key);
    let ipv6_prefix = prefix_of_policy(section, &key, common_prefix);
    let on_store_failure = section.get("on_store_failure", OnStoreFailure::Local, |leaf| {
        leaf.parse("local, allow or deny", str::parse)
    });
    let in_flight = InFlightOptions::of(section);
    let rollout = RolloutOptions::of(section);
    let timezone = TimezoneOptions::of(section);
    let penalty = penalty(section);
    let outcomes = Outcomes::of(section);
    let (quota_leaf, quotas) = quotas_of(section, &in_flight);
    let special = quotas::special_quotas(section, &key, plans);
    // To check the name and the algorithm of a policy with a bad quota, any quota will do.
    let any_quotas = quotas.clone().or_else(|| Quota::new(1, 1_000).ok().map(Quotas::from))?;
    let (burst_leaf, algorithm) = algorithm(section, &any_quotas);
    if let Err(error) = Policy::new(name, any_quotas.first()) {
        section.refuse(error);
    }
    if name == FAILURES {
        section.refuse("this is the name of the policy that auth.failures sets: expected another");
    }

    let quotas = quotas?;
    let policy = Policy::new(name, quotas.first()).ok()?;
    if quota_leaf.is_none() {
        let policy = policy.with_key(key).with_ipv6_prefix(ipv6_prefix);
        let policy = policy.with_on_store_failure(on_store_failure);
        let policy = in_flight.alone(policy, section)?;
        let policy = match penalty {
            Some(penalty) => policy.with_penalty(penalty),
            None => policy,
        };
        return Some(rollout.add_to(policy, section));
    }
    let at_fault = burst_leaf.or(quota_leaf)?;
    let mut further = quotas.further().iter();
    let counted = policy.with_algorithm(algorithm?);
    let counted =
        counted.and_then(|it| further.try_fold(it, |it, more| it.with_further_quota(*more)));
    let counted = counted.map_err(|error| at_fault.refuse(error));
    let counted = section.note(counted)?;
    let policy = counted.with_key(key).with_ipv6_prefix(ipv6_prefix);
    let policy = outcomes.add_to(policy.with_on_store_failure(on_store_failure));
    let policy = special.add_to(policy, section);
    let policy = match penalty {
        Some(penalty) => policy.with_penalty(penalty),
        None => policy,
    };
    let policy = in_flight.add_to(policy, section);
    let policy = rollout.add_to(policy, section);
    Some(timezone.add_to(policy, section))
}

/// A key, or a list of several that count together.
fn key(leaf: &Leaf) -> Result<KeySource, ConfigError> {
    let not_text = match leaf.text() {
        Ok(_) => return leaf.parse("a key", str::parse),
        Err(error) => error,
    };
    let listed = leaf.list("keys").map_err(|_| not_text)?;
    let parts = listed.iter().map(|part| leaf.parse_item(part, "a key", str::parse));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    KeySource::all_of(parts).map_err(|error| leaf.refuse(error))
}

/// The claims of tokens that any of `policies` counts by.
pub(super) fn claims(policies: &Policies) -> BTreeSet<String> {
    let sources = policies.values().flatten().flat_map(|policy| policy.key().parts());
    let claims = sources.filter_map(|source| match source {
        KeySource::Claim(name) => Some(name.to_string()),
        _ => None,
    });
    claims.collect()
}

fn quotas_of(section: &mut Section, in_flight: &InFlightOptions) -> (Option<Leaf>, Option<Quotas>) {
    let leaf = section.take("quota");
    let quotas = match &leaf {
        Some(leaf) => section.note(quotas::quotas(leaf)),
        None if in_flight.is_set() => in_flight.as_quota().map(Quotas::from),
        None => {
            section.refuse(format_args!("quota is missing, expected {}", quotas::EXPECTED));
            None
        }
    };
    (leaf, quotas)
}

/// The burst, if it is given, and the algorithm.
fn algorithm(section: &mut Section, quotas: &Quotas) -> (Option<Leaf>, Option<Algorithm>) {
    let quota = quotas.first();
    let algorithm = section.take("algorithm").map_or(Ok(Algorithm::FixedWindow), |leaf| {
        leaf.parse("an algorithm", |text| Algorithm::named(text, quota))
    });
    let algorithm = section.note(algorithm);
    let Some(leaf) = section.take("burst") else { return (None, algorithm) };
    let burst = section.note(leaf.number(1..=MAX_EXACT));
    if !quotas.further().is_empty() {
        let message = "one burst cannot be for several quotas: expected no burst, so that each quota may be used up \
                       at once, or a policy for each";
        return (Some(leaf.clone()), section.note(Err(leaf.refuse(message))));
    }
    let algorithm = match algorithm {
        Some(Algorithm::TokenBucket { .. }) => burst.map(|burst| Algorithm::TokenBucket { burst }),
        Some(other) => {
            let message = format_args!("only a token-bucket has a burst, and this is a {other}");
            section.note(Err(leaf.refuse(message)))
        }
        None => None,
    };
    (Some(leaf), algorithm)
}
