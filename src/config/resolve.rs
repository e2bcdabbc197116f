//! From the raw tables to a [`Config`]: types, ranges, and what refers to what.

use std::collections::BTreeSet;
use std::num::NonZeroU8;
use std::time::Duration;

use ::config::{Map, Value};

use super::problem::{Problem, Problems};
use super::section::{Leaf, Section, one_of, show_text};
use super::{ClientIp, Config, Headers, Route, Server, Store, StoreUrlError};
use crate::algorithm::Algorithm;
use crate::identity::TrustedProxy;
use crate::key::Ipv6Prefix;
use crate::policy::{KeySource, OnStoreFailure, Policy};
use crate::quota::{MAX_EXACT, Quota};

/// The longest prefix of keys: it is stored with every one of them.
const LONGEST_PREFIX: usize = 64;

/// More proxies are in front of nobody.
const MOST_HOPS: u64 = 32;

/// The configuration that `tables` say, or all that is wrong with it, `problems` first.
pub(super) fn config(
    tables: Map<String, Value>,
    problems: Vec<Problem>,
) -> Result<Config, Problems> {
    let mut root = Section::root(tables, problems);
    let server = root.table("server", server);
    let store = root.table("store", store);
    let headers = root.table("headers", headers);
    let client_ip = root.table("client_ip", client_ip);
    let mut names = BTreeSet::new();
    let policies = root.table("policies", |section| {
        // A policy that is bad is still one that routes may name.
        names.extend(section.names().map(str::to_owned));
        section.tables(|name, section| policy(name, section, client_ip.ipv6_prefix))
    });
    let routes = root
        .table("routes", |section| section.tables(|path, section| route(path, section, &names)));
    let policies = policies.into_iter().flatten().collect();
    let config = Config { server, store, headers, client_ip, policies, routes };
    Problems::none_or(root.finish(), config)
}

fn server(section: &mut Section) -> Server {
    let default = Server::default();
    Server {
        listen: section.get("listen", default.listen, |leaf| {
            leaf.parse("host:port or unix:/path", str::parse)
        }),
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

fn client_ip(section: &mut Section) -> ClientIp {
    let trusted_proxies = trusted_proxies(section);
    let header = section.get("header", None, |leaf| {
        leaf.parse("the name of a header field", |text| text.parse().map(Some))
    });
    let hops = section.get("hops", None, |leaf| {
        let hops = leaf.number(0..=MOST_HOPS)?;
        if hops > 0 && !trusted_proxies.is_empty() {
            return Err(leaf.refuse(
                "trusted_proxies are set as well: expected either, to go by addresses or to count",
            ));
        }
        Ok(u8::try_from(hops).ok().and_then(NonZeroU8::new))
    });
    let ipv6_prefix = section.get("ipv6_prefix", Ipv6Prefix::default(), ipv6_prefix);
    ClientIp { trusted_proxies, header, hops, ipv6_prefix }
}

fn trusted_proxies(section: &mut Section) -> Vec<TrustedProxy> {
    const EXPECTED: &str = "a list of networks, as in [\"127.0.0.1\", \"10.0.0.0/8\"]";
    let Some(leaf) = section.take("trusted_proxies") else { return Vec::new() };
    let listed = section.note(leaf.list(EXPECTED)).unwrap_or_default();
    let read = |text: &String| section.note(leaf.parse_item(text, "a network", str::parse));
    listed.iter().filter_map(read).collect()
}

fn ipv6_prefix(leaf: &Leaf) -> Result<Ipv6Prefix, Problem> {
    let length = leaf.number(1..=128)?;
    Ok(u8::try_from(length).ok().and_then(Ipv6Prefix::new).unwrap_or_default())
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
fn policy(name: &str, section: &mut Section, default_prefix: Ipv6Prefix) -> Option<Policy> {
    let key = section.get("key", KeySource::UserOrIp, |leaf| leaf.parse("a key", str::parse));
    let ipv6_prefix = section.get("ipv6_prefix", default_prefix, |leaf| match key {
        KeySource::Ip | KeySource::UserOrIp => ipv6_prefix(leaf),
        _ => Err(leaf.refuse(format_args!("only addresses have it, and this is counted by {key}"))),
    });
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

    let policy = Policy::new(name, quota?).ok()?;
    let at_fault = burst_leaf.or(quota_leaf)?;
    let counted = policy.with_algorithm(algorithm?).map_err(|problem| at_fault.refuse(problem));
    let counted = section.note(counted)?;
    let counted = counted.with_key(key).with_ipv6_prefix(ipv6_prefix);
    Some(counted.with_on_store_failure(on_store_failure))
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
    const NAMES: &str = "a list of names, as in [\"default\"]";
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "?#".contains(c);
    if !path.starts_with('/') || path.contains(is_odd) {
        section.refuse("a route is a path: expected '/' first, and no '?', '#' or space in it");
    }
    let mut seen = BTreeSet::new();
    let mut list = |option| {
        let Some(leaf) = section.take(option) else { return Vec::new() };
        let listed = section.note(leaf.list(NAMES)).unwrap_or_default();
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
