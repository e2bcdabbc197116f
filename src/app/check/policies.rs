//! The policies and routes of a configuration as checks look at them, and policies that nothing uses.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::app::config::{Config, OptionValue, RouteOptions, key_of};
use crate::domain::policy::{Policy, Rollout, Share};

/// A configuration's policies by name, and its routes.
pub(super) struct Policies<'a> {
    pub(super) config: &'a Config,
    by_name: BTreeMap<&'a str, &'a Policy>,
}

impl<'a> Policies<'a> {
    pub(super) fn of(config: &'a Config) -> Self {
        let by_name = config.policies.iter().map(|policy| (policy.name(), policy)).collect();
        Self { config, by_name }
    }

    /// The policies that are in force, for some clients at least.
    pub(super) fn in_force(&self) -> impl Iterator<Item = &'a Policy> {
        self.by_name.values().copied().filter(|policy| is_in_force(policy))
    }

    pub(super) fn routes(&self) -> &'a [RouteOptions] {
        &self.config.routes
    }

    /// The policies in force under which `route` charges its requests.
    pub(super) fn charged(&self, route: &'a RouteOptions) -> impl Iterator<Item = &'a Policy> {
        let named = route.policies.iter().filter_map(|name| self.by_name.get(&**name).copied());
        named.filter(|policy| is_in_force(policy))
    }

    /// Whether a descriptor of Envoy charges its requests under the policy of that name.
    pub(super) fn has_descriptor_of(&self, name: &str) -> bool {
        let mut named = self.config.descriptors.iter().flat_map(|it| &it.policies);
        named.any(|it| it == name)
    }

    /// The routes that charge their requests under the policy of that name.
    pub(super) fn routes_of<'s>(
        &self,
        name: &'s str,
    ) -> impl Iterator<Item = &'a RouteOptions> + use<'a, 's> {
        self.config.routes.iter().filter(move |route| route.policies.iter().any(|it| it == name))
    }
}

fn is_in_force(policy: &Policy) -> bool {
    matches!(policy.rollout(), Rollout::Enforce { .. })
}

/// Whether the policy is in force for every client.
pub(super) fn is_in_force_for_all(policy: &Policy) -> bool {
    matches!(policy.rollout(), Rollout::Enforce { share: Share::ALL, .. })
}

/// The key of an option of a policy.
pub(super) fn policy_key(policy: &Policy, option: &str) -> String {
    key_of(&["policies", policy.name(), option])
}

/// The key of an option of a route.
pub(super) fn route_key(route: &RouteOptions, option: &str) -> String {
    key_of(&["routes", &route.pattern.to_string(), option])
}

/// `names` as a list in TOML.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", names.join(", "))
}

/// Finds policies that somebody wrote and that neither a route nor a descriptor names.
pub(super) fn examine(
    policies: &Policies<'_>,
    options: &BTreeMap<String, OptionValue>,
    findings: &mut Vec<Finding>,
) {
    for policy in policies.by_name.values().filter(|policy| policy.rollout() != Rollout::Off) {
        let name = policy.name();
        let is_named = policies
            .routes()
            .iter()
            .any(|route| route.policies.iter().chain(&route.peek).any(|it| it == name))
            || policies.has_descriptor_of(name);
        let table = format!("{}.", key_of(&["policies", name]));
        let is_written =
            options.iter().any(|(key, value)| key.starts_with(&table) && !value.is_default());
        if !is_named && is_written {
            findings.push(Finding {
                code: "policy-unused",
                option: policy_key(policy, "quota"),
                reason: format!(
                    "No route and no descriptor names the policy {name:?}, so it limits nothing. Name it in one, \
                     delete it, or say that it is off."
                ),
                better: format!("{} = \"off\"", policy_key(policy, "mode")),
            });
        }
    }
}

/// Finds a policy that is tried out while nobody can see what comes of it.
pub(super) fn examine_trials(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    if policies.config.admin.listen.is_some() {
        return;
    }
    let tried = policies.by_name.values().find_map(|policy| match policy.rollout() {
        Rollout::Shadow => Some((policy, "mode")),
        rollout => rollout.candidate().map(|_| (policy, "candidate")),
    });
    findings.extend(tried.map(|(policy, option)| Finding {
        code: "trial-unseen",
        option: policy_key(policy, option),
        reason: format!(
            "What {:?} would change is counted in metrics, and those are served at admin.listen alone.",
            policy.name()
        ),
        better: "admin.listen = \"127.0.0.1:8081\"".to_owned(),
    }));
}
