use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;

use super::error::LimiterError;
use crate::domain::client::Client;
use crate::domain::policy::{KeySource, Policy, Rollout, Share};
use crate::domain::quota::Quota;
use crate::store::Key;

/// A policy, and a variant of it for each quota that plans and users have. All users with the same quota
/// share a variant, since there may be many users and few quotas.
#[derive(Debug)]
pub(super) struct PolicyVariants {
    policy: Arc<Policy>,
    /// The variants of plans and users, each once.
    special: Vec<Arc<Policy>>,
    plans: HashMap<Box<str>, Arc<Policy>>,
    users: HashMap<Box<[u8]>, Arc<Policy>>,
    /// What is tried out in place of the policy itself.
    candidate: Option<Arc<Policy>>,
    in_force: InForce,
    may_be_given_back: AtomicBool,
}

/// Where a quota comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaSource {
    /// It is the policy's own.
    Policy,
    /// The policy has it for this user.
    User,
    /// The policy has it for the plan of the user.
    Plan,
    /// An operator gave it to this client.
    Boost,
}

impl QuotaSource {
    /// Its name: `policy`, `user`, `plan` or `boost`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::User => "user",
            Self::Plan => "plan",
            Self::Boost => "boost",
        }
    }
}

/// For which keys a policy is in force.
#[derive(Debug)]
enum InForce {
    Always,
    /// For the keys whose hash is in this share.
    ForShare(SipHasher13, Share),
    Never,
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
        let candidate = policy.candidate_policy().map(Arc::new);
        let in_force = InForce::of(&policy);
        let policy = Arc::new(policy);
        Self { special, plans, users, candidate, in_force, policy, may_be_given_back }
    }

    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// All variants, the policy itself first, and its candidate last.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        iter::once(&self.policy).chain(&self.special).chain(&self.candidate)
    }

    /// One variant for each key that an identity may have: for each length of the window, and for the candidate.
    pub(super) fn one_of_each_window(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let of_windows: HashMap<_, _> =
            self.policies().map(|it| ((it.name(), it.quota().window()), it)).collect();
        of_windows.into_values()
    }

    /// The variant for `client`: that of the user, or else of the plan, or else the policy itself. If the
    /// key is not the user's, it is the policy itself for every client.
    pub(super) fn policy_of(&self, client: &Client<'_>) -> &Arc<Policy> {
        self.special_of(client).map_or(&self.policy, |(_, variant)| variant)
    }

    /// The variant of the user or of the plan, and which of the two it is of.
    pub(super) fn special_of(&self, client: &Client<'_>) -> Option<(QuotaSource, &Arc<Policy>)> {
        let user = match self.policy.key() {
            KeySource::User | KeySource::UserOrIp => client.user_id()?,
            KeySource::Ip | KeySource::Global | KeySource::Header(_) | KeySource::Descriptor => {
                return None;
            }
        };
        let plan = || {
            let variant = self.plans.get(client.plan()?)?;
            Some((QuotaSource::Plan, variant))
        };
        self.users.get(user).map(|variant| (QuotaSource::User, variant)).or_else(plan)
    }

    /// What is tried out in place of `variant`, which is one of these.
    pub(super) fn candidate_of(&self, variant: &Arc<Policy>) -> Option<&Arc<Policy>> {
        self.candidate.as_ref().filter(|_| Arc::ptr_eq(variant, &self.policy))
    }

    /// Whether it is neither decided nor charged.
    pub(super) fn is_off(&self) -> bool {
        self.policy.rollout() == Rollout::Off
    }

    /// Whether it refuses requests that count by `key`.
    pub(super) fn is_in_force(&self, key: &Key) -> bool {
        match &self.in_force {
            InForce::Always => true,
            InForce::Never => false,
            InForce::ForShare(hasher, share) => {
                let hash = hasher.hash(key.hash_tag().as_bytes());
                hash % u64::from(Share::ALL.basis_points()) < share.basis_points().into()
            }
        }
    }

    /// Whether some requests are charged under this policy before another one decides. A store that decides
    /// keys one after another may then refund the charge.
    pub(super) fn may_be_given_back(&self) -> bool {
        self.may_be_given_back.load(Ordering::SeqCst)
    }
}

impl InForce {
    fn of(policy: &Policy) -> Self {
        match policy.rollout() {
            Rollout::Enforce { share: Share::ALL, .. } => Self::Always,
            Rollout::Enforce { share, .. } => {
                // Keyed with the name, so that the shares of two policies are different clients, and each share is
                // the same in all processes.
                let key = Sha256::digest(policy.name());
                let half = |from: usize| {
                    key[from..from + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte))
                };
                Self::ForShare(SipHasher13::new_with_keys(half(0), half(8)), share)
            }
            Rollout::Shadow | Rollout::Off => Self::Never,
        }
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
