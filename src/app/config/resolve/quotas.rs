//! The quotas of policies, plans, users and networks.

use std::collections::BTreeSet;

use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::section::Section;
use crate::domain::network::{Network, NetworkError};
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::{ClientQuota, Quota, Quotas};

pub(super) const EXPECTED: &str = "units per window, as in \"10/minute\"";

/// The quotas that a policy has for plans, users and networks, each with the option that sets it.
pub(super) struct SpecialQuotas {
    plans: Vec<(String, Leaf, ClientQuota)>,
    users: Vec<(String, Leaf, ClientQuota)>,
    networks: Vec<(Network, Leaf, ClientQuota)>,
}

/// One quota.
pub(super) fn quota(leaf: &Leaf) -> Result<Quota, ConfigError> {
    leaf.parse(EXPECTED, str::parse)
}

/// One or more quotas: a text, or a list of texts.
pub(super) fn quotas(leaf: &Leaf) -> Result<Quotas, ConfigError> {
    match client_quota(leaf)? {
        ClientQuota::Limited(quotas) => Ok(quotas),
        ClientQuota::Unlimited => Err(leaf.refuse(
            "only plans, users and networks may be unlimited, and this is the quota of all others: expected \
             mode = \"off\", or a route without the policy",
        )),
    }
}

/// The same, or `unlimited`.
fn client_quota(leaf: &Leaf) -> Result<ClientQuota, ConfigError> {
    if !leaf.is_list() {
        return leaf.parse(EXPECTED, str::parse);
    }
    let listed = leaf.list("quotas")?;
    let read = |text: &String| leaf.parse_item(text, EXPECTED, str::parse::<Quota>);
    let quotas: Vec<Quota> = listed.iter().map(read).collect::<Result<_, _>>()?;
    let quotas = Quotas::new(quotas).map_err(|error| leaf.refuse(error))?;
    Ok(quotas.into())
}

/// The tables `plans`, `users` and `networks` of a policy that counts by `key`. Every plan is added to `plans`, even
/// one with a bad quota, since other options may name it.
pub(super) fn special_quotas(
    section: &mut Section,
    key: &KeySource,
    plans: &mut BTreeSet<String>,
) -> SpecialQuotas {
    SpecialQuotas {
        plans: section.table("plans", |section| {
            plans.extend(section.names().map(str::to_owned));
            table(section, key)
        }),
        users: section.table("users", |section| table(section, key)),
        networks: section.table("networks", |section| networks(section, key)),
    }
}

fn networks(section: &mut Section, key: &KeySource) -> Vec<(Network, Leaf, ClientQuota)> {
    let is_by_address = matches!(key, KeySource::Ip | KeySource::UserOrIp);
    if !is_by_address && section.names().next().is_some() {
        section.refuse(format_args!(
            "only a policy by ip or user-or-ip can tell networks apart, and this one is by {key}"
        ));
    }
    section.options(|name, leaf| {
        let network = name.parse().map_err(|error: NetworkError| leaf.refuse(error))?;
        Ok((network, leaf.clone(), client_quota(leaf)?))
    })
}

fn table(section: &mut Section, key: &KeySource) -> Vec<(String, Leaf, ClientQuota)> {
    let is_by_user = key.is_by_user();
    if !is_by_user && section.names().next().is_some() {
        section.refuse(format_args!(
            "only a policy by user or user-or-ip can tell users apart, and this one is by {key}"
        ));
    }
    section.options(|name, leaf| Ok((name.to_owned(), leaf.clone(), client_quota(leaf)?)))
}

impl SpecialQuotas {
    /// `policy` with these quotas. Those that it refuses become errors of `section`.
    pub(super) fn add_to(self, mut policy: Policy, section: &mut Section) -> Policy {
        for (plan, leaf, quota) in self.plans {
            section.note(policy.add_plan(&plan, quota).map_err(|error| leaf.refuse(error)));
        }
        for (id, leaf, quota) in self.users {
            section.note(if id.is_empty() {
                Err(leaf.refuse("a user's ID is missing"))
            } else {
                policy.add_user(id.as_bytes(), quota).map_err(|error| leaf.refuse(error))
            });
        }
        for (network, leaf, quota) in self.networks {
            section.note(add_network(&mut policy, network, &leaf, quota));
        }
        policy
    }
}

/// Adds the quota of a network to `policy`, whose IPv6 networks have their size already.
fn add_network(
    policy: &mut Policy,
    network: Network,
    leaf: &Leaf,
    quota: ClientQuota,
) -> Result<(), ConfigError> {
    if policy.networks().any(|(known, _)| known == network) {
        return Err(leaf.refuse(format_args!("{network} has a quota already, written another way")));
    }
    let (length, is_ipv4) = network.prefix();
    let client = policy.ipv6_prefix().length();
    if !is_ipv4 && length > client {
        return Err(leaf.refuse(format_args!(
            "each IPv6 network of /{client} counts as one client, and {network} is a part of one: expected /{client} \
             or a larger network"
        )));
    }
    policy.add_network(network, quota).map_err(|error| leaf.refuse(error))
}
