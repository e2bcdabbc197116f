//! Where a quota was set.

use std::net::IpAddr;

use super::asked::Asked;
use crate::app::auth::FAILURES;
use crate::app::config::{Places, key_of};
use crate::domain::key::Identity;
use crate::domain::network::Network;
use crate::limiter::{ExplainedPolicy, QuotaSource};

/// Where the quota was set.
pub(super) fn place(it: &ExplainedPolicy, asked: &Asked, places: &Places) -> String {
    let name = it.policy.name();
    let of =
        |path: &[&str]| places.of_option(&key_of(&[&["policies", name], path].concat())).to_owned();
    if !it.policy.has_quotas() {
        return of(&["in_flight"]);
    }
    match it.source {
        QuotaSource::Boost => "an operator".to_owned(),
        QuotaSource::Plan => of(&["plans", asked.plan.as_deref().unwrap_or_default()]),
        QuotaSource::User => of(&["users", asked.user.as_deref().unwrap_or_default()]),
        QuotaSource::Network => of_network(it, places).to_owned(),
        QuotaSource::Policy if name == FAILURES => places.of_option("auth.failures").to_owned(),
        QuotaSource::Policy => of(&["quota"]),
    }
}

/// Where the quota of the network that holds the client's address was set.
fn of_network<'a>(it: &ExplainedPolicy, places: &'a Places) -> &'a str {
    let address = match Identity::named(&it.key, it.policy.ipv6_prefix()) {
        Ok(Identity::Ipv4(address)) => Some(IpAddr::from(address)),
        Ok(Identity::Ipv6(network)) => Some(network.first().into()),
        _ => None,
    };
    let network = address.and_then(|address| it.policy.network_of(address));
    let is_it = |name: &str| network.is_some() && name.parse::<Network>().ok() == network;
    places.of_option_in(&key_of(&["policies", it.policy.name(), "networks"]), is_it)
}
