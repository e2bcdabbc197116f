//! An explanation as JSON: each number with the place where it was set.

use std::collections::HashSet;

use serde::Serialize;

use super::asked::Asked;
use super::origin::origins;
use super::place::place;
use crate::app::assemble::Snapshot;
use crate::app::auth::FAILURES;
use crate::app::config::{Places, key_of};
use crate::app::operators::api::changes::{AllListed, Listed};
use crate::app::operators::api::policies::mode;
use crate::app::operators::api::usage::Usage;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::domain::quota::ClientQuota;
use crate::limiter::{ExplainedPolicy, Explanation, PolicyRole, Verdict};

/// What would happen to a request, and why.
#[derive(Serialize)]
pub(super) struct Told {
    /// The number of the configuration that serves.
    generation: u64,
    request: Request,
    verdict: &'static str,
    why: String,
    route: Option<Route>,
    policies: Vec<Met>,
    unmet: Vec<Unmet>,
    overrides: Vec<Listed>,
    /// Why the overrides may be outdated.
    outdated: Option<String>,
}

#[derive(Serialize)]
struct Request {
    method: String,
    path: String,
    ip: Option<String>,
    user: Option<String>,
    plan: Option<String>,
    /// Where the plan comes from, if the user has one: `given`, or the user's API keys.
    plan_from: Option<&'static str>,
}

#[derive(Serialize)]
struct Route {
    pattern: String,
    place: String,
    cost: u64,
    cost_place: String,
}

/// A policy that the request meets.
#[derive(Serialize)]
struct Met {
    policy: String,
    role: &'static str,
    /// Why the policy does not decide; nothing if it does.
    why: Option<String>,
    /// Whose quota it is.
    key: String,
    /// Where each part of the key comes from.
    key_from: Vec<String>,
    quota: String,
    from: &'static str,
    /// Where the quota was set.
    place: String,
    #[serde(flatten)]
    usage: Usage,
    /// The only statuses for which the request counts.
    charge_on: Option<String>,
    /// The statuses for which it is given back.
    refund_on: Option<String>,
    /// What holds while the store cannot be asked.
    on_store_failure: &'static str,
    /// How many slots more there are, which are kept for other requests.
    kept_slots: u64,
    /// For how many milliseconds a process may hold units that it has leased; 0 for never.
    lease_ms: u64,
}

/// A policy that the request does not meet.
#[derive(Serialize)]
struct Unmet {
    policy: String,
    why: String,
}

impl Told {
    pub(super) fn new(
        snapshot: &Snapshot,
        asked: &Asked,
        is_plan_known: bool,
        explanation: &Explanation,
        overrides: AllListed,
    ) -> Self {
        let places = snapshot.places();
        let plan_from = if is_plan_known { "auth.keys" } else { "given" };
        let met = explanation.policies.iter().map(|it| Met::of(it, asked, &places));
        let tags: HashSet<&str> = tags(explanation).collect();
        let is_its = |it: &Listed| {
            let is_of_policy = |it: &&ExplainedPolicy| it.role == PolicyRole::Disabled;
            tags.iter().any(|tag| it.is_of(tag))
                || explanation
                    .policies
                    .iter()
                    .filter(is_of_policy)
                    .any(|policy| it.is_off(policy.policy.name()))
        };
        let AllListed { overrides, outdated } = overrides;
        Self {
            generation: snapshot.generation,
            request: Request {
                method: asked.method.clone(),
                path: asked.path.clone(),
                ip: asked.ip.map(|ip| ip.to_string()),
                user: asked.user.clone(),
                plan: asked.plan.clone(),
                plan_from: asked.plan.as_ref().map(|_| plan_from),
            },
            verdict: name(explanation.verdict),
            why: match snapshot.limiter.passes_as_preflight(asked) {
                true if explanation.verdict == Verdict::Unlimited => preflight(&places),
                _ => why(explanation, &places),
            },
            route: explanation.route.as_ref().map(|route| {
                let pattern = route.pattern.to_string();
                let place =
                    |option| places.of_option(&key_of(&["routes", &pattern, option])).to_owned();
                Route {
                    place: place("policies"),
                    cost: explanation.cost.units(),
                    cost_place: place("cost"),
                    pattern,
                }
            }),
            policies: met.collect(),
            unmet: explanation.unmet.iter().map(|it| Unmet::of(it, snapshot)).collect(),
            overrides: overrides.into_iter().filter(is_its).collect(),
            outdated,
        }
    }
}

/// The identities of the client, under each policy and of the ban.
fn tags(explanation: &Explanation) -> impl Iterator<Item = &str> {
    let met = explanation.policies.iter().map(|it| &*it.key);
    met.chain(explanation.banned.as_ref().map(|banned| banned.key()))
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unlimited => "unlimited",
        Verdict::Allowed => "allowed",
        Verdict::Blocked => "blocked",
        Verdict::Banned => "banned",
        Verdict::Admitted => "admitted",
        Verdict::Denied => "denied",
        Verdict::Unknown => "unknown",
    }
}

/// Why a preflight passes.
fn preflight(places: &Places) -> String {
    let place = places.of_option("cors.preflight");
    format!("It is a CORS preflight, and those pass uncounted ({place}).")
}

/// The reason of the verdict, in a sentence.
fn why(explanation: &Explanation, places: &Places) -> String {
    match explanation.verdict {
        Verdict::Unlimited if explanation.route.is_none() => {
            "No route is for such requests, so they pass uncounted.".to_owned()
        }
        Verdict::Unlimited if has_unlimited(explanation) => {
            "The quota of the client is unlimited under every policy that is in force.".to_owned()
        }
        Verdict::Unlimited => "No policy of the route is in force.".to_owned(),
        Verdict::Allowed => format!(
            "The client is in access.allow ({}), so it passes uncounted.",
            places.of_option("access.allow")
        ),
        Verdict::Blocked => format!(
            "The client is in access.block ({}), so it is refused with 403.",
            places.of_option("access.block")
        ),
        Verdict::Banned => {
            let policy = explanation.banned.as_ref().and_then(|banned| banned.policy());
            let by = policy.map(|policy| format!(" by the penalty of {policy}"));
            format!("The client is banned{}, so it is refused with 403.", by.unwrap_or_default())
        }
        Verdict::Admitted => "Every policy in force has enough units left.".to_owned(),
        Verdict::Denied => {
            let denies = |it: &&ExplainedPolicy| it.role == PolicyRole::InForce && !it.admits();
            let denying = explanation.policies.iter().filter(denies);
            let (units, slots): (Vec<_>, Vec<_>) = denying.partition(|it| it.policy.has_quotas());
            let under = |what: &str, denying: &[&ExplainedPolicy]| {
                let mut names: Vec<_> = denying.iter().map(|it| it.policy.name()).collect();
                names.dedup();
                (!names.is_empty()).then(|| format!("{what} under {}.", names.join(" and ")))
            };
            let units = under("Too few units are left", &units);
            let slots = under("No slot is free", &slots);
            units.into_iter().chain(slots).collect::<Vec<_>>().join(" ")
        }
        Verdict::Unknown => {
            let error = explanation.unknown.as_ref().map(ToString::to_string).unwrap_or_default();
            format!(
                "The store could not be asked ({error}). Until it can, each policy says what holds."
            )
        }
    }
}

fn has_unlimited(explanation: &Explanation) -> bool {
    explanation.policies.iter().any(|it| it.role == PolicyRole::Unlimited)
}

impl Met {
    fn of(it: &ExplainedPolicy, asked: &Asked, places: &Places) -> Self {
        let policy = &it.policy;
        let (role, why) = role(it, places);
        Self {
            policy: policy.name().to_owned(),
            role,
            why,
            key: it.key.to_string(),
            key_from: origins(policy.key()),
            quota: match it.role {
                PolicyRole::Unlimited => ClientQuota::Unlimited.to_string(),
                _ => policy.allows(),
            },
            from: it.source.name(),
            place: place(it, asked, places),
            usage: Usage::of(policy, it.standing.as_ref()),
            charge_on: policy.charge_on().map(ToString::to_string),
            refund_on: policy.refund_on().map(ToString::to_string),
            on_store_failure: match policy.on_store_failure() {
                OnStoreFailure::Local => "local",
                OnStoreFailure::Allow => "allow",
                OnStoreFailure::Deny => "deny",
            },
            kept_slots: policy.kept_slots(),
            lease_ms: policy.lease().unwrap_or_default(),
        }
    }
}

/// What the policy does with the request, and why it does not decide.
fn role(it: &ExplainedPolicy, places: &Places) -> (&'static str, Option<String>) {
    let of = |option| places.of_option(&key_of(&["policies", it.policy.name(), option])).to_owned();
    let (role, why) = match it.role {
        PolicyRole::InForce => return ("in-force", None),
        PolicyRole::Shadow => {
            ("shadow", format!("It is tried out, and denies nobody ({}).", of("mode")))
        }
        PolicyRole::OutsideShare => {
            let (_, share) = mode(&it.policy);
            let share = share.unwrap_or_default();
            let place = of("enforce");
            let why =
                format!("The client is not among the {share} for which it is in force ({place}).");
            ("outside-share", why)
        }
        PolicyRole::Off => ("off", format!("It is off ({}).", of("mode"))),
        PolicyRole::Disabled => ("disabled", "An operator has switched it off.".to_owned()),
        PolicyRole::Unlimited => (
            "unlimited",
            "The client's quota is unlimited, so the policy does not apply to it.".to_owned(),
        ),
        PolicyRole::Peeked => {
            ("peeked", "The route shows where the client stands, and charges nothing.".to_owned())
        }
    };
    (role, Some(why))
}

impl Unmet {
    fn of(policy: &Policy, snapshot: &Snapshot) -> Self {
        let name = policy.name();
        let names_it = |it: &&crate::limiter::Route| {
            it.policies.iter().chain(it.peek.iter()).any(|policy| policy.name() == name)
        };
        let routes = snapshot.limiter.routes().filter(names_it);
        let routes: Vec<_> = routes.map(|it| it.pattern.to_string()).collect();
        let why = match &*routes {
            [] if name == FAILURES => "It counts wrong credentials.".to_owned(),
            [] => "No route names it.".to_owned(),
            routes => format!("It is for {}.", routes.join(", ")),
        };
        Self { policy: name.to_owned(), why }
    }
}
