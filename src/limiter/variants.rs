use std::collections::HashMap;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};
use siphasher::sip::SipHasher13;

use crate::domain::client::Client;
use crate::domain::network::NetworkMap;
use crate::domain::policy::{Policy, Rollout, Share};
use crate::domain::quota::ClientQuota;
use crate::store::Key;

/// What a client is charged under a policy: a variant of it for each quota that holds for the client. All of them hold
/// together. There is none if the policy does not apply to the client.
pub(super) type Parts = Arc<[Arc<Policy>]>;

/// A policy, and a variant of it for each quota that it has and that plans, users and networks have. All users with the
/// same quota share a variant, since there may be many users and few quotas.
#[derive(Debug)]
pub(super) struct PolicyVariants {
    policy: Arc<Policy>,
    /// The quotas of the policy itself; the policy itself is the first.
    own: Parts,
    /// The variants of plans, users and networks, each once.
    special: Vec<Arc<Policy>>,
    plans: HashMap<Box<str>, Parts>,
    users: HashMap<Box<[u8]>, Parts>,
    networks: NetworkMap<Parts>,
    /// What is tried out in place of the policy's own quotas.
    candidate: Parts,
    in_force: InForce,
    may_be_given_back: Arc<AtomicBool>,
    /// The same for requests that use the reserve of its slots, if it has one.
    with_reserve: Option<Arc<Self>>,
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
    /// The policy has it for a network that holds the client's address.
    Network,
    /// An operator gave it to this client.
    Boost,
}

impl QuotaSource {
    /// Its name: `policy`, `user`, `plan`, `network` or `boost`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::User => "user",
            Self::Plan => "plan",
            Self::Network => "network",
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
        match policy.without_reserve() {
            None => Self::of(policy),
            Some(rest) => {
                let with_reserve = Self::of(policy);
                Self {
                    may_be_given_back: with_reserve.may_be_given_back.clone(),
                    with_reserve: Some(Arc::new(with_reserve)),
                    ..Self::of(rest)
                }
            }
        }
    }

    fn of(policy: Policy) -> Self {
        let own = policy.parts_of(&policy.quotas()).into_iter().skip(1).map(Arc::new);
        let further: Vec<Arc<Policy>> = own.collect();
        let mut known: HashMap<ClientQuota, Parts> = HashMap::new();
        let mut parts_of = |quota: &ClientQuota| {
            let make = || match quota {
                ClientQuota::Limited(quotas) => parts(policy.parts_of(quotas)),
                ClientQuota::Unlimited => Parts::default(),
            };
            known.entry(quota.clone()).or_insert_with(make).clone()
        };
        let plans = policy.plans().map(|(plan, quota)| (plan.into(), parts_of(quota))).collect();
        let users = policy.users().map(|(id, quota)| (id.into(), parts_of(quota))).collect();
        let mut networks = NetworkMap::default();
        for (network, quota) in policy.networks() {
            networks.insert(network, parts_of(quota));
        }
        let special = known.values().flat_map(|parts| parts.iter().cloned()).collect();
        let may_be_given_back = Arc::default();
        let candidate = parts(policy.candidate_parts());
        let in_force = InForce::of(&policy);
        let policy = Arc::new(policy);
        let own = iter::once(policy.clone()).chain(further).collect();
        Self {
            own,
            special,
            plans,
            users,
            networks,
            candidate,
            in_force,
            policy,
            may_be_given_back,
            with_reserve: None,
        }
    }

    pub(super) fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// The variants of the policy's own quotas, the policy itself first.
    pub(super) fn own(&self) -> &[Arc<Policy>] {
        &self.own
    }

    /// All variants, the policy itself first.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.with_those_of_reserve()
            .flat_map(|it| it.own.iter().chain(&it.special).chain(it.candidate.iter()))
    }

    /// The policy as requests meet it: without the reserve of its slots, and with it if it has one.
    pub(super) fn as_met(&self) -> impl Iterator<Item = &Policy> + Clone {
        self.with_those_of_reserve().map(|it| &*it.policy)
    }

    /// These, and those for requests that use the reserve.
    fn with_those_of_reserve(&self) -> impl Iterator<Item = &Self> + Clone {
        iter::once(self).chain(self.with_reserve.as_deref())
    }

    /// Notes that requests are charged under this policy before another one decides.
    pub(super) fn note_charged_before_others(&self) {
        self.may_be_given_back.store(true, Ordering::SeqCst);
    }

    /// What requests meet that use the reserve of its slots.
    pub(super) fn with_reserve(self: &Arc<Self>) -> &Arc<Self> {
        self.with_reserve.as_ref().unwrap_or(self)
    }

    /// One variant for each key that an identity may have: for each length of the window, for requests under
    /// way, and for the candidate.
    pub(super) fn one_of_each_window(&self) -> impl Iterator<Item = &Arc<Policy>> {
        let of_windows: HashMap<_, _> = self
            .policies()
            .map(|it| ((it.name(), it.algorithm().name(), it.quota().window()), it))
            .collect();
        of_windows.into_values()
    }

    /// The variants for `client`: those of the user, or else of the plan, or else of the smallest network, or else those
    /// of the policy itself. If the key is neither the user's nor the address's, they are the policy's for every client.
    pub(super) fn parts_of(&self, client: &Client<'_>) -> &[Arc<Policy>] {
        self.special_of(client).map_or(&self.own, |(_, parts)| parts)
    }

    /// The variants of the user, of the plan or of a network, and which of the three they are of.
    pub(super) fn special_of(&self, client: &Client<'_>) -> Option<(QuotaSource, &[Arc<Policy>])> {
        let key = self.policy.key();
        let user = client.user_id().filter(|_| key.is_by_user());
        let of_user = user.and_then(|user| {
            let plan = || {
                let parts = self.plans.get(client.plan()?)?;
                Some((QuotaSource::Plan, &**parts))
            };
            self.users.get(user).map(|parts| (QuotaSource::User, &**parts)).or_else(plan)
        });
        of_user.or_else(|| {
            if self.networks.is_empty() {
                return None;
            }
            let address = client.address().filter(|_| key.counts_address_of(user.is_some()))?;
            let parts = self.networks.get(address)?;
            Some((QuotaSource::Network, &**parts))
        })
    }

    /// What is tried out in place of `parts`, which are those of a client; nothing if they are not the policy's own.
    pub(super) fn candidate_of(&self, parts: &[Arc<Policy>]) -> &[Arc<Policy>] {
        if std::ptr::eq(parts.as_ptr(), self.own.as_ptr()) { &self.candidate } else { &[] }
    }

    /// Whether it is neither decided nor charged.
    pub(super) fn is_off(&self) -> bool {
        self.policy.is_off()
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

/// The policies as one slice.
fn parts(policies: Vec<Policy>) -> Parts {
    policies.into_iter().map(Arc::new).collect()
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
