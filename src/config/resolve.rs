//! From the raw tables to a [`Config`]: types, ranges, and what refers to what.

use std::collections::BTreeSet;
use std::time::Duration;

use ::config::{Map, Value};

use super::problem::{Problem, Problems};
use super::section::{Leaf, Section, one_of, show_text};
use super::{Config, Headers, Route, Server, Store, StoreUrlError};
use crate::algorithm::Algorithm;
use crate::auth::FAILURES;
use crate::policy::{KeySource, OnStoreFailure, Policy};
use crate::quota::{MAX_EXACT, Quota};

mod auth;

/// The longest prefix of keys: it is stored with every one of them.
const LONGEST_PREFIX: usize = 64;

/// The configuration that `tables` say, or all that is wrong with it, `problems` first.
pub(super) fn config(
    tables: Map<String, Value>,
    problems: Vec<Problem>,
) -> Result<Config, Problems> {
    let mut root = Section::root(tables, problems);
    let server = root.table("server", server);
    let store = root.table("store", store);
    let headers = root.table("headers", headers);
    let auth = root.table("auth", auth::auth);
    let mut names = BTreeSet::new();
    let policies = root.table("policies", |section| {
        // A policy that is bad is still one that routes may name.
        names.extend(section.names().map(str::to_owned));
        section.tables(policy)
    });
    let routes = root
        .table("routes", |section| section.tables(|path, section| route(path, section, &names)));
    let policies = policies.into_iter().flatten().collect();
    Problems::none_or(root.finish(), Config { server, store, headers, auth, policies, routes })
}

fn server(section: &mut Section) -> Server {
    let default = Server::default();
    Server {
        listen: section.get("listen", default.listen, |leaf| leaf.parse("host:port", str::parse)),
        workers: section.get("workers", default.workers, |leaf| size(leaf, 0, 1_024)),
    }
}

fn store(section: &mut Section) -> Store {
    let default = Store::default();
    Store {
        url: section.get("url", default.url, |leaf| {
            leaf.text()?.parse().map_err(|problem: StoreUrlError| leaf.refuse(problem))
        }),
        key_prefix: section.get("key_prefix", default.key_prefix, key_prefix),
        timeout: section.get("timeout_ms", default.timeout, |leaf| millis(leaf, 1, 60_000)),
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

/// A policy, if it is one. Every option is read, so that each says what is wrong with it.
fn policy(name: &str, section: &mut Section) -> Option<Policy> {
    let key = section.get("key", KeySource::UserOrIp, |leaf| leaf.parse("a key", str::parse));
    let on_store_failure = section.get("on_store_failure", OnStoreFailure::Local, |leaf| {
        leaf.parse("local, allow or deny", str::parse)
    });
    let (quota_leaf, quota) = quota(section);
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
    Some(counted.with_key(key).with_on_store_failure(on_store_failure))
}

fn quota(section: &mut Section) -> (Option<Leaf>, Option<Quota>) {
    const EXPECTED: &str = "units per window, as in \"10/minute\"";
    let leaf = section.take("quota");
    let quota = match &leaf {
        Some(leaf) => section.note(leaf.parse(EXPECTED, str::parse)),
        None => {
            section.refuse(format_args!("quota is missing, expected {EXPECTED}"));
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

fn route(path: &str, section: &mut Section, names: &BTreeSet<String>) -> Route {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "?#".contains(c);
    if !path.starts_with('/') || path.contains(is_odd) {
        section.refuse("a route is a path: expected '/' first, and no '?', '#' or space in it");
    }
    let mut seen = BTreeSet::new();
    let mut list = |option| {
        let Some(leaf) = section.take(option) else { return Vec::new() };
        let listed = section.note(leaf.list()).unwrap_or_default();
        for name in &listed {
            if !names.contains(name) {
                let there_are = one_of(&names.iter().collect::<Vec<_>>());
                let message =
                    format!("no policy is called {}, expected {there_are}", show_text(name));
                section.note::<()>(Err(leaf.refuse(message)));
            } else if !seen.insert(name.clone()) {
                let message =
                    format!("the policy {} is listed twice for this route", show_text(name));
                section.note::<()>(Err(leaf.refuse(message)));
            }
        }
        listed
    };
    Route { path: path.to_owned(), policies: list("policies"), peek: list("peek") }
}
