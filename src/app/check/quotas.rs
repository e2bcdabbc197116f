//! Quotas that cannot do what they seem to do.

use super::bounds::{counts_together, most_counted};
use super::finding::Finding;
use super::policies::{Policies, is_in_force_for_all, policy_key, route_key};
use crate::app::config::{RouteOptions, key_of};
use crate::domain::algorithm::Algorithm;
use crate::domain::policy::{OnStoreFailure, Policy};
use crate::domain::quota::{ClientQuota, Quota, Quotas};

/// The quota of a sliding log from which its memory is worth a word, in units.
const LARGE_LOG: u64 = 10_000;

/// What the Redis store keeps of an entry in a sliding log, in bytes.
const LOG_ENTRY_BYTES: u64 = 14;

pub(super) fn examine(policies: &Policies<'_>, findings: &mut Vec<Finding>) {
    for policy in policies.in_force() {
        findings.extend(unreachable(policies, policy));
        findings.extend(meaningless(policy));
        findings.extend(large_log(policy));
        findings.extend(plan_windows(policy));
    }
    for route in policies.routes() {
        findings.extend(cost(policies, route));
    }
}

/// Finds a policy beside `policy` that leaves nothing to deny to it, on all of its routes.
fn unreachable(policies: &Policies<'_>, policy: &Policy) -> Option<Finding> {
    if policies.has_descriptor_of(policy.name()) {
        return None;
    }
    let routes: Vec<_> = policies.routes_of(policy.name()).collect();
    let beside = |other: &&Policy| {
        other.name() != policy.name()
            && routes.iter().all(|route| route.policies.iter().any(|name| name == other.name()))
    };
    let stricter = policies.charged(routes.first()?).filter(beside).find(|other| {
        // Of two equal policies, only one is of no use.
        is_denied_first(other, policy)
            && (!is_denied_first(policy, other) || other.name() < policy.name())
    })?;
    let most = most_counted(stricter, policy)?;
    let of = |it: &Policy| format!("{:?} ({} by {})", it.name(), it.quota(), it.algorithm());
    let holds = policy.terms().burst;
    let better = better_quota(stricter, policy, most).map_or_else(
        || format!("{} = \"off\"", policy_key(policy, "mode")),
        |quota| format!("{} = \"{quota}\"", policy_key(policy, "quota")),
    );
    Some(Finding {
        code: "quota-unreachable",
        option: policy_key(policy, "quota"),
        reason: format!(
            "The policy {} never denies a request that {} admits. The latter lets at most {most} units into \
             its count, which has room for {holds}.",
            of(policy),
            of(stricter)
        ),
        better,
    })
}

/// Whether `stricter` admits no request that `policy` denies, while both are counted and the store answers.
fn is_denied_first(stricter: &Policy, policy: &Policy) -> bool {
    let has_one_quota = |it: &Policy| {
        it.quotas().further().is_empty()
            && it.plans().next().is_none()
            && it.users().next().is_none()
            && it.networks().next().is_none()
    };
    // While the store is away, a policy that allows all leaves something to deny.
    let allows = |it: &Policy| it.on_store_failure() == OnStoreFailure::Allow;
    is_in_force_for_all(stricter)
        && has_one_quota(stricter)
        && has_one_quota(policy)
        && (allows(policy) || !allows(stricter))
        && counts_together(stricter, policy)
        && most_counted(stricter, policy).is_some_and(|most| most <= policy.terms().burst)
}

/// Half of what reaches the count of `policy`, if each of the two policies then denies something alone.
fn better_quota(stricter: &Policy, policy: &Policy, most: u64) -> Option<Quota> {
    let quota = policy.quota().with_units(most / 2).ok()?;
    let better = policy.with_own_quota(quota).ok()?;
    (!is_denied_first(stricter, &better) && !is_denied_first(&better, stricter)).then_some(quota)
}

/// Finds a cost that some clients can never pay. One that no client can pay is no valid configuration.
fn cost(policies: &Policies<'_>, route: &RouteOptions) -> Option<Finding> {
    let cost = route.cost.units();
    let quotas = policies.charged(route).flat_map(|policy| {
        all_quotas(policy).flat_map(move |(_, whose, quota)| {
            let quotas: Vec<Quota> = quota.iter().collect();
            quotas.into_iter().map(move |quota| (policy, whose.clone(), quota))
        })
    });
    let largest = |policy: &Policy, quota| policy.of_quota(quota).terms().burst;
    let (policy, whose, quota) = quotas.min_by_key(|(policy, _, quota)| largest(policy, *quota))?;
    let least = largest(policy, quota);
    (cost > least).then(|| Finding {
        code: "cost-above-quota",
        option: route_key(route, "cost"),
        reason: format!(
            "A request costs {cost} units, and the policy {:?} admits at most {least} at once for {whose} \
             ({quota}). It denies every request of those clients.",
            policy.name()
        ),
        better: format!("{} = {least}", route_key(route, "cost")),
    })
}

/// Whatever quotas clients may have under `policy`, each with the option that sets it, and whose it is.
fn all_quotas(policy: &Policy) -> impl Iterator<Item = (String, String, ClientQuota)> {
    let option = |table: &str, of: &str| key_of(&["policies", policy.name(), table, of]);
    let own = (policy_key(policy, "quota"), "its own quota".to_owned(), policy.quotas().into());
    let plans = policy.plans().map(move |(plan, quota)| {
        (option("plans", plan), format!("the plan {plan:?}"), quota.clone())
    });
    let users = policy.users().map(move |(id, quota)| {
        let id = String::from_utf8_lossy(id);
        (option("users", &id), format!("the user {id:?}"), quota.clone())
    });
    let networks = policy.networks().map(move |(network, quota)| {
        let network = network.to_string();
        (option("networks", &network), format!("the network {network}"), quota.clone())
    });
    std::iter::once(own).chain(plans).chain(users).chain(networks)
}

/// Finds a quota that never denies anything, because another one that holds together with it lets too little through.
fn meaningless(policy: &Policy) -> Option<Finding> {
    all_quotas(policy).find_map(|(option, _, quota)| {
        let ClientQuota::Limited(quotas) = quota else { return None };
        let parts = policy.parts_of(&quotas);
        let is_idle = |it: &Policy, beside: &Policy| {
            beside.quota().window().longest() > it.quota().window().longest()
                && most_counted(beside, it).is_some_and(|most| most <= it.terms().burst)
        };
        let (idle, stricter) = parts.iter().find_map(|it| {
            Some((it, parts.iter().find(|beside| is_idle(it, beside))?))
        })?;
        let meant = quotas.iter().filter(|quota| *quota != idle.quota());
        Some(Finding {
            code: "quota-meaningless",
            reason: format!(
                "{} holds together with {}, which lets no more units through in a longer window. So the former never \
                 denies a request that the latter admits.",
                idle.quota(),
                stricter.quota()
            ),
            better: format!("{option} = \"{}\"", Quotas::new(meant).ok()?),
            option,
        })
    })
}

fn large_log(policy: &Policy) -> Option<Finding> {
    let units = policy.quotas().iter().map(|quota| quota.units()).max()?;
    let is_large = policy.algorithm() == Algorithm::SlidingLog && units >= LARGE_LOG;
    is_large.then(|| Finding {
        code: "log-large",
        option: policy_key(policy, "algorithm"),
        reason: format!(
            "A sliding log of {units} units keeps up to {} bytes for each client in Redis.",
            units * LOG_ENTRY_BYTES
        ),
        better: format!("{} = \"sliding-window\"", policy_key(policy, "algorithm")),
    })
}

/// Finds a plan whose window is not that of the policy.
fn plan_windows(policy: &Policy) -> Option<Finding> {
    let own = policy.quota();
    if !policy.quotas().further().is_empty() {
        return None;
    }
    let of_one = |quota: &ClientQuota| match quota {
        ClientQuota::Limited(quotas) if quotas.further().is_empty() => Some(quotas.first()),
        _ => None,
    };
    let mut plans = policy.plans().filter_map(|(plan, quota)| Some((plan, of_one(quota)?)));
    let (plan, quota) = plans.find(|(_, quota)| quota.window() != own.window())?;
    // About the same rate, rounded up.
    let [length, own_length] = [quota, own].map(|it| u128::from(it.window().longest()));
    let units = u128::from(quota.units()) * own_length;
    let units = u64::try_from(units.div_ceil(length)).ok()?;
    let better = own.with_units(units).ok()?;
    let option = key_of(&["policies", policy.name(), "plans", plan]);
    Some(Finding {
        code: "plan-window",
        reason: format!(
            "The plan {plan:?} has {quota}, and the policy {:?} has {own}. Each window has a count of its own, so \
             a user who changes the plan begins with nothing used.",
            policy.name()
        ),
        better: format!("{option} = \"{better}\""),
        option,
    })
}
