//! What an [`Observer`] of a limiter learns.

use std::fmt::Debug;
use std::iter;
use std::time::Duration;

use super::deny_cache::Purpose;
use super::routes::Route;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Charge, Key, StoreErrorKind};

/// Learns of every decision of a limiter, for metrics and logs.
///
/// It is called on the thread that decides, for each request. So it must be fast, and it must not block.
pub trait Observer: Debug + Send + Sync {
    /// Learns that a request was decided.
    fn on_decision(&self, event: &DecisionEvent<'_>);

    /// Learns that what a request was charged was given back, or could not be. That is so if the status of its response
    /// does not count under a policy, or if somebody gives its [receipt](crate::Limiter::refund) back.
    fn on_refund(&self, event: &RefundEvent<'_>) {
        let _ = event;
    }

    /// Whether it wants the [IDs of requests](crate::Incoming::request_id). Otherwise nobody reads them.
    fn wants_request_ids(&self) -> bool {
        false
    }
}

/// A request, and what was decided about it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct DecisionEvent<'a> {
    /// The door through which it came: see [`Incoming::door`](crate::Incoming::door).
    pub door: &'static str,
    /// Its ID, if it has one and the observer [wants it](Observer::wants_request_ids).
    pub request_id: Option<&'a str>,
    /// Its route, if it has one and its policies are those of the route.
    pub route: Option<&'a Route>,
    /// The index of that route among all routes, for as long as the limiter lives.
    pub route_index: Option<usize>,
    /// What was decided.
    pub outcome: Outcome,
    /// Who decided it.
    pub decided_by: DecidedBy,
    /// Its policies, each with the key that it was counted by and what it costs there; none if no policy was asked.
    pub charges: &'a [Charge],
    /// Where each of them stands, in the same order. Where the store failed, fewer than `charges` or none.
    pub standings: &'a [Standing],
    /// The ban of its client by the penalty of a policy; `None` if no penalty bans it.
    pub ban: Option<PenaltyBan>,
    /// What policies decided that are only tried out; none if they were not asked.
    pub trials: &'a [TrialOutcome<'a>],
    /// Whether it was only read, and charged nothing.
    pub is_peek: bool,
    /// How long it waited for the store; `None` if it was decided at once.
    pub waited: Option<Duration>,
}

impl<'a> DecisionEvent<'a> {
    /// The policies that the request met, each once.
    pub fn policies(&self) -> impl Iterator<Item = MetPolicy<'a>> + use<'a> {
        let is_same = |one: &Charge, other: &Charge| {
            one.policy.name() == other.policy.name() && one.key.hash_tag() == other.key.hash_tag()
        };
        let (mut first, mut charges, mut standings) = (0, self.charges, self.standings);
        iter::from_fn(move || {
            let (charge, further) = charges.split_first()?;
            let length = 1 + further.iter().take_while(|it| is_same(charge, it)).count();
            let (own, rest) = charges.split_at_checked(length)?;
            let (stand, stand_rest) = standings.split_at_checked(length).unwrap_or_default();
            let met = MetPolicy { first, charge, charges: own, standings: stand };
            (first, charges, standings) = (first + length, rest, stand_rest);
            Some(met)
        })
    }
}

/// A policy as a request met it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MetPolicy<'a> {
    /// The index of its first charge.
    pub first: usize,
    /// Its charge; the first one, if it has several quotas.
    pub charge: &'a Charge,
    /// Its charges, one for each quota.
    pub charges: &'a [Charge],
    /// Where each of them stands, in the same order; none if that is not known.
    pub standings: &'a [Standing],
}

impl MetPolicy<'_> {
    /// Whether one of its quotas has no room for one more request like that.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.standings.iter().any(|standing| standing.retry != Retry::Now)
    }
}

/// A charge that was given back, or that stands because it could not be.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RefundEvent<'a> {
    /// The policy under which it was charged.
    pub policy: &'a Policy,
    /// The units that were given back: 0 if the key does not count them any more. Otherwise why they could not be.
    pub units: Result<u64, StoreErrorKind>,
}

/// A ban of a client by the penalty of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PenaltyBan {
    /// The index of that policy among the charges; of the first one, if it has several quotas.
    pub charge: usize,
    /// For how many more milliseconds the client is banned.
    pub lasts: Millis,
    /// Whether this request began the ban: it is the last of so many that the policy denied.
    pub begins: bool,
}

/// What a policy decided that is only tried out.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TrialOutcome<'a> {
    /// The policy as it is configured.
    pub policy: &'a Policy,
    /// The key that it was counted by.
    pub key: &'a Key,
    /// Why it is tried out.
    pub kind: TrialKind,
    /// Whether it admits the request.
    pub admits: bool,
}

/// Why a policy is tried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrialKind {
    /// The policy is not in force, for this client or for all.
    Shadow,
    /// Its candidate is tried out in place of its own quota.
    Candidate,
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// All its policies admit it.
    Admitted,
    /// One of its policies denies it.
    Denied,
    /// No policy is for it: it has no route, or the application skips it.
    Unlimited,
    /// An access list lets its client pass uncounted.
    Allowed,
    /// An access list refuses its client.
    Blocked,
    /// Its client is banned, by an operator or by the penalty of a policy.
    Banned,
    /// The store failed, and a policy then refuses.
    Undecided(StoreErrorKind),
}

/// Who decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecidedBy {
    /// The limiter alone, without counting.
    Limiter,
    /// The store.
    Store,
    /// The deny cache, which remembers a denial of the store.
    DenyCache,
    /// This process, with units that it had leased from the store.
    Lease,
    /// This process, in place of a store that failed.
    Fallback,
}

/// The door of credentials: their failures are counted under a policy, but they are no requests of their own.
#[cfg(any(feature = "server", test))]
pub(crate) const AUTHENTICATION_DOOR: &str = "authentication";

/// Where a question comes from, for the observer.
#[derive(Clone, Debug)]
pub(super) struct AskedBy {
    pub(super) door: &'static str,
    /// The index of the route.
    pub(super) route: Option<usize>,
    pub(super) purpose: Purpose,
    /// The ID of the request, if somebody wants it.
    pub(super) request_id: Option<Box<str>>,
    /// Whether the decision is to have a receipt.
    pub(super) wants_receipt: bool,
    /// Whether the observer learns of it.
    pub(super) is_observed: bool,
    /// Whether whoever asks learns when the request ends, and holds its slots until then.
    pub(super) holds_slots: bool,
}

impl AskedBy {
    /// The door of those who call the limiter themselves.
    pub(super) const LIBRARY: &'static str = "library";
    /// The door of credentials, which are counted when they are wrong.
    #[cfg(any(feature = "server", test))]
    pub(super) const AUTHENTICATION: Self =
        Self { door: AUTHENTICATION_DOOR, purpose: Purpose::Gate, ..Self::ORDINARY };
    /// What is no request: the observer does not learn of it.
    pub(super) const UNOBSERVED: Self = Self { is_observed: false, ..Self::ORDINARY };

    /// The values that most questions have.
    const ORDINARY: Self = Self {
        door: Self::LIBRARY,
        route: None,
        purpose: Purpose::Request,
        request_id: None,
        wants_receipt: false,
        is_observed: true,
        holds_slots: true,
    };

    /// A request that came through `door`, and whose route has this index.
    pub(super) fn request(door: &'static str, route: Option<usize>) -> Self {
        Self { door, route, ..Self::ORDINARY }
    }
}
