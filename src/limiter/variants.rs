use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::LimiterError;
use crate::domain::client::Client;
use crate::domain::policy::{KeySource, Policy};
use crate::domain::quota::Quota;

/// A policy, and a variant of it for each quota that plans and users have. All users with the same quota
/// share a variant, since there may be many users and few quotas.
#[derive(Debug)]
pub(super) struct PolicyVariants {
    policy: Arc<Policy>,
    /// The variants of plans and users, each once.
    special: Vec<Arc<Policy>>,
    plans: HashMap<Box<str>, Arc<Policy>>,
    users: HashMap<Box<[u8]>, Arc<Policy>>,
    may_be_given_back: AtomicBool,
}

impl PolicyVariants {
    pub(super) fn new(policy: Policy) -> Self {
        let mut special: HashMap<Quota, Arc<Policy>> = HashMap::new();
        let mut of_quota = |quota| {
            special.entry(quota).or_insert_with(|| Arc::new(policy.of_quota(quota))).clone()
        };
        let plans = policy.plans().map(|(plan, quota)| (plan.into(), of_quota(quota))).collect();
        let users = policy.users().map(|(id, quota)| (id.into(), of_quota(quota))).collect();
        let special = special.into_values().collect();
        let may_be_given_back = AtomicBool::new(false);
        Self { special, plans, users, policy: Arc::new(policy), may_be_given_back }
    }

    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// All variants, the policy itself first.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        iter::once(&self.policy).chain(&self.special)
    }

    /// One variant for each length of the window.
    pub(super) fn one_of_each_window(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let of_windows: HashMap<_, _> =
            self.policies().map(|policy| (policy.quota().window(), policy)).collect();
        of_windows.into_values()
    }

    /// The variant for `client`: that of the user, or else of the plan, or else the policy itself. If the
    /// key is not the user's, it is the policy itself for every client.
    pub(super) fn policy_of(&self, client: &Client<'_>) -> &Arc<Policy> {
        let special = match (self.policy.key(), client.user_id()) {
            (KeySource::User | KeySource::UserOrIp, Some(user)) => {
                let plan = || client.plan().and_then(|plan| self.plans.get(plan));
                self.users.get(user).or_else(plan)
            }
            _ => None,
        };
        special.unwrap_or(&self.policy)
    }

    /// Whether some requests are charged under this policy before another one decides. A store that decides
    /// keys one after another may then refund the charge.
    pub(super) fn may_be_given_back(&self) -> bool {
        self.may_be_given_back.load(Ordering::SeqCst)
    }
}

/// The policies that a request meets, in order. [`Limiter::policies`](crate::Limiter::policies) makes them.
#[derive(Clone, Debug)]
pub struct Policies(pub(super) Arc<[Arc<PolicyVariants>]>);

impl Policies {
    /// The policies, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.0.iter().map(|variants| &**variants.policy())
    }

    /// Notes that requests are charged under these together: charges to all but the last may be refunded.
    pub(super) fn note_charged_together(&self) {
        let (_, earlier) = self.0.split_last().unzip();
        for variants in earlier.into_iter().flatten() {
            variants.may_be_given_back.store(true, Ordering::SeqCst);
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The policies with these `names`, in this order.
pub(super) fn named<N: AsRef<str>>(
    variants: &HashMap<String, Arc<PolicyVariants>>,
    names: impl IntoIterator<Item = N>,
) -> Result<Policies, LimiterError> {
    let policy = |name: N| {
        let policy = variants.get(name.as_ref()).cloned();
        policy.ok_or_else(|| LimiterError::UnknownPolicy(name.as_ref().to_owned()))
    };
    let policies = Policies(names.into_iter().map(policy).collect::<Result<_, _>>()?);
    all_differ(policies.iter().map(Policy::name))?;
    Ok(policies)
}

/// # Errors
/// If one of `names` is there twice.
pub(super) fn all_differ<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), LimiterError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(LimiterError::DuplicatePolicy(name.to_owned()));
        }
    }
    Ok(())
}
