//! From the raw tables to a [`Config`]: types, ranges, and what refers to what.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ::config::{Map, Value};

use super::error::{Problem, Problems};
use super::section::{Leaf, Section};
use super::words::show_text;
use super::{Config, Headers, Store, StoreUrlError};
use crate::app::auth::FAILURES;
use crate::domain::algorithm::Algorithm;
use crate::domain::key::Ipv6Prefix;
use crate::domain::policy::{KeySource, OnStoreFailure, Policy};
use crate::domain::quota::{MAX_EXACT, Quota};

mod access;
mod auth;
mod client_ip;
mod quotas;
mod routes;
mod server;
mod tls;

/// The longest prefix of keys: it is stored with every one of them.
const LONGEST_PREFIX: usize = 64;

/// The configuration that `tables` say, or all that is wrong with it, `problems` first.
pub(super) fn config(
    tables: Map<String, Value>,
    problems: Vec<Problem>,
) -> Result<Config, Problems> {
    let mut root = Section::root(tables, problems);
    let server = root.table("server", server::server);
    let admin = root.table("admin", server::admin);
    let store = root.table("store", store);
    let client_ip = root.table("client_ip", client_ip::client_ip);
    let headers = root.table("headers", headers);
    let access = root.table("access", access::access);
    let mut plans = BTreeSet::new();
    // A policy that is bad is still one that routes may name.
    let policies: BTreeMap<String, Option<Policy>> = root
        .table("policies", |section| {
            section.tables(|name, section| {
                (name.to_owned(), policy(name, section, client_ip.ipv6_prefix, &mut plans))
            })
        })
        .into_iter()
        .collect();
    let trusts_any = client_ip.trusts_any(&server.listen);
    let auth = root.table("auth", |section| auth::auth(section, trusts_any, &plans));
    let routes = root.table("routes", |section| routes::routes(section, &policies));
    let policies = policies.into_values().flatten().collect();
    let config =
        Config { server, admin, store, client_ip, headers, access, auth, policies, plans, routes };
    Problems::none_or(root.finish(), config)
}

fn store(section: &mut Section) -> Store {
    let default = Store::default();
    let url = section.get("url", default.url, |leaf| {
        leaf.text()?.parse().map_err(|problem: StoreUrlError| leaf.refuse(problem))
    });
    Store {
        tls: section.table("tls", |section| tls::tls(section, &url)),
        url,
        key_prefix: section.get("key_prefix", default.key_prefix, key_prefix),
        timeout: section.get("timeout_ms", default.timeout, |leaf| millis(leaf, 1, 60_000)),
        idle_timeout: section
            .get("idle_timeout_ms", default.idle_timeout, |leaf| millis(leaf, 100, 86_400_000)),
        examine_interval: section.get("examine_interval_ms", default.examine_interval, |leaf| {
            millis(leaf, 100, 86_400_000)
        }),
        connections: section.get("connections", default.connections, |leaf| size(leaf, 1, 64)),
        instances: section.get("instances", default.instances, |leaf| leaf.number(1..=1_000_000)),
        deny_cache: section
            .get("deny_cache_ms", default.deny_cache, |leaf| millis(leaf, 0, 60_000)),
        max_keys: section.get("max_keys", default.max_keys, |leaf| size(leaf, 1, 1_000_000_000)),
        hash_users: section.get("hash_users", default.hash_users, Leaf::flag),
    }
}

fn headers(section: &mut Section) -> Headers {
    let default = Headers::default();
    Headers {
        legacy: section.get("legacy", default.legacy, Leaf::flag),
        cors_expose: section.get("cors_expose", default.cors_expose, Leaf::flag),
    }
}

fn size(leaf: &Leaf, least: u32, most: u32) -> Result<usize, Problem> {
    let size = leaf.number(least.into()..=most.into())?;
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

fn millis(leaf: &Leaf, least: u64, most: u64) -> Result<Duration, Problem> {
    leaf.number(least..=most).map(Duration::from_millis)
}

fn key_prefix(leaf: &Leaf) -> Result<String, Problem> {
    const EXPECTED: &str = "1 to 64 ASCII letters, digits, '-', '_', '.' or ':'";
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    leaf.parse(EXPECTED, |text| {
        if (1..=LONGEST_PREFIX).contains(&text.len()) && text.bytes().all(is_plain) {
            Ok(text.to_owned())
        } else {
            Err(format!("expected {EXPECTED}, got {}", show_text(text)))
        }
    })
}

/// A policy, if it is one, its plans being added to `plans`. Every option is read, so that each says
/// what is wrong with it.
fn policy(
    name: &str,
    section: &mut Section,
    prefix_of_all: Ipv6Prefix,
    plans: &mut BTreeSet<String>,
) -> Option<Policy> {
    let key = section.get("key", KeySource::UserOrIp, |leaf| leaf.parse("a key", str::parse));
    let ipv6_prefix = client_ip::prefix_of_policy(section, &key, prefix_of_all);
    let on_store_failure = section.get("on_store_failure", OnStoreFailure::Local, |leaf| {
        leaf.parse("local, allow or deny", str::parse)
    });
    let (quota_leaf, quota) = quota(section);
    let special = quotas::special_quotas(section, &key, plans);
    // Any quota will do to tell whether there is such a name, and such an algorithm.
    let any_quota = quota.or_else(|| Quota::new(1, 1_000).ok())?;
    let (burst_leaf, algorithm) = algorithm(section, any_quota);
    if let Err(problem) = Policy::new(name, any_quota) {
        section.refuse(problem);
    }
    if name == FAILURES {
        section.refuse("this is the name of the policy that auth.failures sets: expected another");
    }

    let policy = Policy::new(name, quota?).ok()?;
    let at_fault = burst_leaf.or(quota_leaf)?;
    let counted = policy.with_algorithm(algorithm?).map_err(|problem| at_fault.refuse(problem));
    let counted = section.note(counted)?;
    let policy = counted.with_key(key).with_ipv6_prefix(ipv6_prefix);
    let policy = policy.with_on_store_failure(on_store_failure);
    Some(special.add_to(policy, section))
}

fn quota(section: &mut Section) -> (Option<Leaf>, Option<Quota>) {
    let leaf = section.take("quota");
    let quota = match &leaf {
        Some(leaf) => section.note(quotas::quota(leaf)),
        None => {
            section.refuse(format_args!("quota is missing, expected {}", quotas::EXPECTED));
            None
        }
    };
    (leaf, quota)
}

/// The algorithm, and the burst it was given.
fn algorithm(section: &mut Section, quota: Quota) -> (Option<Leaf>, Option<Algorithm>) {
    let algorithm = section.take("algorithm").map_or(Ok(Algorithm::FixedWindow), |leaf| {
        leaf.parse("an algorithm", |text| Algorithm::named(text, quota))
    });
    let algorithm = section.note(algorithm);
    let Some(leaf) = section.take("burst") else { return (None, algorithm) };
    let burst = section.note(leaf.number(1..=MAX_EXACT));
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
