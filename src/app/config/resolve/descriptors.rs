//! The section `[descriptors]`: what Envoy says of a request, and the policies that this meets.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use super::policies::Policies;
use super::policy_names::policy_names;
use super::quotas;
use super::reserve::uses_reserve;
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::options::{ClientEntries, DescriptorOptions};
use crate::app::config::section::Section;
use crate::app::config::words::one_of;
use crate::domain::policy::{KeySource, Policy, is_token_byte};
use crate::limiter::DescriptorPattern;

pub(super) fn descriptors(section: &mut Section, policies: &Policies) -> Vec<DescriptorOptions> {
    let of_domains = section.tables(|domain, section| {
        if domain.is_empty() {
            section.refuse("a domain has a name, which Envoy sends with each request");
        }
        of_domain(domain, section, policies)
    });
    of_domains.into_iter().flatten().collect()
}

fn of_domain(domain: &str, section: &mut Section, policies: &Policies) -> Vec<DescriptorOptions> {
    // Each pattern, and how it is written.
    let mut seen: HashMap<DescriptorPattern, String> = HashMap::new();
    let all = section.tables(|text, section| {
        let pattern = text.parse::<DescriptorPattern>().map_err(|error| section.refuse(error));
        // Every option is read, even of a bad pattern, so that all errors are found.
        let options = options(domain, pattern.as_ref().ok(), section, policies);
        match seen.entry(pattern.ok()?) {
            Entry::Occupied(other) => {
                section.refuse(format_args!("is for the same descriptors as {:?}", other.get()));
                None
            }
            Entry::Vacant(entry) => {
                entry.insert(text.to_owned());
                options
            }
        }
    });
    all.into_iter().flatten().collect()
}

fn options(
    domain: &str,
    pattern: Option<&DescriptorPattern>,
    section: &mut Section,
    policies: &Policies,
) -> Option<DescriptorOptions> {
    let what = "this descriptor";
    let named = policy_names(section, "policies", policies, &mut BTreeSet::new(), what);
    let uses_reserve = uses_reserve(section, &named, policies);
    let refuse = section.get("refuse", false, Leaf::flag);
    let share = shared(section, pattern);
    let client = client(section, pattern);
    let quota_override = section.get("quota_override", None, |leaf| quotas::quota(leaf).map(Some));
    if refuse && !named.is_empty() {
        section.refuse("refuses every request, so it needs no policies: expected one of the two");
    }
    for policy in named.iter().filter_map(|name| policies.get(name)?.as_ref()) {
        if let Some(part) = untold(policy) {
            section.refuse(format_args!(
                "the policy {:?} counts by {part}, which no entry can say: expected a policy by descriptor, which counts \
                 by all entries",
                policy.name(),
            ));
        }
        if let Some(option) = missing(policy, &client) {
            section.refuse(format_args!(
                "the policy {:?} counts by {}: expected {option}, with the key of the entry that says it",
                policy.name(),
                policy.key(),
            ));
        }
    }
    Some(DescriptorOptions {
        domain: domain.to_owned(),
        pattern: pattern?.clone(),
        policies: named,
        uses_reserve,
        refuse,
        share,
        client,
        quota_override,
    })
}

/// The entries whose values do not tell requests apart, by their indexes.
fn shared(section: &mut Section, pattern: Option<&DescriptorPattern>) -> Vec<usize> {
    let Some(leaf) = section.take("share") else { return Vec::new() };
    let keys = section.note(leaf.list("keys of entries, as in [\"path\"]")).unwrap_or_default();
    let mut shared = Vec::new();
    for key in keys {
        section.note(position(&leaf, &key, pattern));
        let entries = pattern.into_iter().flat_map(|pattern| pattern.entries().iter().enumerate());
        shared.extend(entries.filter(|(_, entry)| entry.key == key).map(|(index, _)| index));
    }
    shared
}

/// Which entries say who the client is.
fn client(section: &mut Section, pattern: Option<&DescriptorPattern>) -> ClientEntries {
    let entry = |leaf: &Leaf| position(leaf, leaf.text()?, pattern);
    let ip = section.get("ip", None, entry);
    let user = section.get("user", None, entry);
    let plan = section.take("plan");
    if let Some(leaf) = plan.as_ref().filter(|_| user.is_none()) {
        let message = "a plan without a user has no effect: expected user as well";
        section.note::<()>(Err(leaf.refuse(message)));
    }
    let plan = plan.and_then(|leaf| section.note(entry(&leaf)).flatten());
    let headers = section.table("headers", |section| {
        section.options(|name, leaf| {
            if name.is_empty() || !name.bytes().all(is_token_byte) {
                return Err(leaf.refuse(format_args!("{name:?} names no header field")));
            }
            Ok((name.to_ascii_lowercase().into(), entry(leaf)?))
        })
    });
    let headers = headers.into_iter().filter_map(|(name, index)| Some((name, index?)));
    ClientEntries { ip, user, plan, headers: headers.collect() }
}

/// The index of the first entry with this key; `None` if the pattern is bad.
fn position(
    leaf: &Leaf,
    key: &str,
    pattern: Option<&DescriptorPattern>,
) -> Result<Option<usize>, ConfigError> {
    let Some(pattern) = pattern else { return Ok(None) };
    pattern.position(key).map(Some).ok_or_else(|| {
        let keys: Vec<_> = pattern.entries().iter().map(|entry| &entry.key).collect();
        leaf.refuse(format_args!("no entry has the key {key:?}, expected {}", one_of(&keys)))
    })
}

/// The option without which all requests would share one count of `policy`, or of one part of its key.
fn missing(policy: &Policy, client: &ClientEntries) -> Option<String> {
    policy.key().parts().iter().find_map(|part| missing_part(part, client))
}

fn missing_part(part: &KeySource, client: &ClientEntries) -> Option<String> {
    let has_header = |name: &str| client.headers.iter().any(|(it, _)| **it == *name);
    let is_missing = match part {
        KeySource::Ip => client.ip.is_none(),
        KeySource::User => client.user.is_none(),
        KeySource::UserOrIp => client.user.is_none() && client.ip.is_none(),
        KeySource::Header(name) => !has_header(name),
        KeySource::Cookie(_) => !has_header("cookie"),
        _ => false,
    };
    let option = || match part {
        KeySource::Ip => "ip".to_owned(),
        KeySource::User => "user".to_owned(),
        KeySource::Header(name) => format!("headers.{name}"),
        KeySource::Cookie(_) => "headers.cookie".to_owned(),
        _ => "user, ip or both".to_owned(),
    };
    is_missing.then(option)
}

/// The part of the key of `policy` that no descriptor can tell.
fn untold(policy: &Policy) -> Option<&KeySource> {
    policy.key().parts().iter().find(|part| {
        matches!(
            part,
            KeySource::Claim(_)
                | KeySource::Query(_)
                | KeySource::Host
                | KeySource::Segment(_)
                | KeySource::Route
        )
    })
}
