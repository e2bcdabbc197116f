//! The answer to a check: a [`Decision`].

use std::sync::Arc;
use std::time::Duration;

use crate::domain::algorithm::Algorithm;
use crate::domain::banned::Banned;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::receipt::Receipt;
use crate::domain::slot::Slots;
use crate::domain::standing::{Retry, Standing};

/// The answer to one check: allowed or denied, and where each policy stands.
#[derive(Clone, Debug)]
pub struct Decision {
    allowed: bool,
    policies: Vec<Arc<Policy>>,
    /// One for each policy, in the same order.
    standings: Vec<Standing>,
    /// In a box, since few are.
    banned: Option<Box<Banned>>,
    /// In a box, since few ask for it.
    receipt: Option<Box<Receipt>>,
    slots: Option<Slots>,
}

impl Decision {
    /// A decision under `policies`, with one of `standings` for each, in the same order.
    #[must_use]
    pub fn new(allowed: bool, policies: Vec<Arc<Policy>>, standings: Vec<Standing>) -> Self {
        Self { allowed, policies, standings, banned: None, receipt: None, slots: None }
    }

    /// The same decision about a client that is `banned`, and so denied.
    #[must_use]
    pub fn with_ban(self, banned: Banned) -> Self {
        Self { allowed: false, banned: Some(Box::new(banned)), ..self }
    }

    /// The same decision with the receipt of what it charged.
    pub(crate) fn with_receipt(self, receipt: Option<Receipt>) -> Self {
        Self { receipt: receipt.map(Box::new), ..self }
    }

    /// The same decision with the slots that its request holds.
    pub(crate) fn with_slots(self, slots: Option<Slots>) -> Self {
        Self { slots, ..self }
    }

    /// Whether its request holds slots of policies that limit the requests under way.
    #[cfg(feature = "server")]
    pub(crate) fn holds_slots(&self) -> bool {
        self.slots.is_some()
    }

    /// Takes the slots that the request holds of policies that limit the requests under way; `None` if it holds none.
    /// Without this they are given back when the decision is dropped.
    #[must_use = "slots that are dropped are given back"]
    pub fn take_slots(&mut self) -> Option<Slots> {
        self.slots.take()
    }

    /// Tells of the policy at `index` as if it had been charged `units` less, which it was given back of a request of
    /// `cost`. It may be whole again a little earlier than it tells, if other requests were charged before.
    #[cfg_attr(
        not(any(feature = "actix", feature = "tower")),
        allow(dead_code, reason = "only the doors tell of what was given back")
    )]
    pub(crate) fn give_back(&mut self, index: usize, units: u64, cost: Cost) {
        let Some((policy, standing)) = self.policies.get(index).zip(self.standings.get_mut(index))
        else {
            return;
        };
        let terms = policy.terms();
        standing.remaining = standing.remaining.saturating_add(units).min(terms.burst);
        if standing.remaining >= cost.units() {
            standing.retry = Retry::Now;
        }
        standing.reset_after = match policy.algorithm() {
            _ if standing.remaining == terms.burst => 0,
            Algorithm::TokenBucket { .. } => {
                let refills = u128::from(units) * u128::from(terms.window.longest())
                    / u128::from(terms.units);
                standing.reset_after.saturating_sub(refills.try_into().unwrap_or(Millis::MAX))
            }
            _ => standing.reset_after,
        };
    }

    /// The same standings in a decision that denies nothing.
    pub(crate) fn into_report(self) -> Self {
        Self { allowed: true, banned: None, ..self }
    }

    /// This decision, extended by the policies and standings of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.policies.extend(other.policies);
        self.standings.extend(other.standings);
        let banned = self.banned.take().or(other.banned);
        let receipt = self.receipt.take().or(other.receipt);
        let slots = self.slots.take().or(other.slots);
        Self { allowed: self.allowed && other.allowed, banned, receipt, slots, ..self }
    }

    /// Whether the request may pass.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The policies that the request met, each with where it stands now.
    #[must_use]
    pub fn policies(&self) -> impl ExactSizeIterator<Item = (&Policy, &Standing)> {
        self.policies.iter().map(|policy| &**policy).zip(&self.standings)
    }

    /// The policies, for others to share.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn shared_policies(&self) -> &[Arc<Policy>] {
        &self.policies
    }

    /// The ban of the client, by the penalty of one of the policies; `None` if it is not banned.
    #[must_use]
    pub fn banned(&self) -> Option<&Banned> {
        self.banned.as_deref()
    }

    /// What the decision charged; `None` if it charged nothing, if it cannot be given back, or if nobody asked for it:
    /// see [`Incoming::wants_receipt`](crate::Incoming::wants_receipt).
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_deref()
    }

    /// The policies that do not admit the request; none when it is allowed, or only a ban denies it.
    pub fn violated(&self) -> impl Iterator<Item = (&Policy, &Standing)> {
        self.policies().filter(|(_, standing)| !self.allowed && standing.retry != Retry::Now)
    }

    /// How long a denied request has to wait until it would be admitted, if no other request comes. `None`
    /// if it is allowed, if it waits for a request under way to end, or if it costs more than a whole quota and is never
    /// admitted.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let retry = self.violated().fold(Retry::Now, |retry, (_, it)| retry.later(it.retry));
        let ban = self.banned().map(Banned::ends_after);
        match retry {
            Retry::After(wait) => Some(Duration::from_millis(wait)).max(ban),
            Retry::Now => ban,
            // It may wait for longer than for the rest of the quotas.
            Retry::WhenFreed | Retry::Never => None,
        }
    }
}
