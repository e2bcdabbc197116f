//! Admission: decides whether a request passes, in one order for all doors.
//!
//! 1. A request passes if it is skipped, is a preflight that passes, or has no route. A blocked client is refused even then.
//! 2. A client that an operator banned is refused, whatever it asks for, or if the request meets the policy of the ban.
//! 3. The access lists: a blocked client is refused before that, and an allowed client passes uncounted after it.
//! 4. The policies of the request's route are checked. All of them admit the request, or it is denied. If the penalty
//!    of one of them bans the client, it is refused, whatever they say.
//! 5. The policies at which the route peeks are read. A peek never refuses.
//!
//! Every door calls [`Limiter::admit`], and owns no part of this order.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::check::{self, Check};
use super::incoming::Incoming;
use super::observer::{AskedBy, Outcome};
use super::unavailable::Unavailable;
use super::{Access, Limiter, Policies, Route};
use crate::domain::banned::Banned;
use crate::domain::client::Client;
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;
use crate::store::MaybeReady;

/// Whether a request passes.
#[derive(Clone, Debug)]
pub enum Admission {
    /// It passes. If any policy was asked, the response tells where each of them stands.
    Passes(Option<Decision>),
    /// It does not reach the application.
    Refused(Refused),
}

/// Why a request is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Refused {
    /// A policy denies it.
    Denied(Decision),
    /// Its client is blocked by an access list.
    Blocked,
    /// Its client is banned for a while, by an operator or by the penalty of a policy.
    Banned(Banned),
    /// The store failed, and a policy then refuses.
    Undecided(Unavailable),
}

/// An [`Admission`], decided or under way.
#[derive(Debug)]
#[must_use = "a request that nobody awaits may be charged all the same"]
pub struct Admitting(MaybeReady<Box<Deciding>>);

/// An admission that waits for the store. It is kept in a box because it is large.
#[derive(Debug)]
pub(crate) struct Deciding {
    /// `None` if nothing is checked, or once the check has admitted: then `checked` has its decision.
    check: Option<check::Deciding>,
    checked: Option<Decision>,
    peek: Option<Check>,
}

impl Limiter {
    /// Decides whether `request` passes, and charges it if it does.
    pub fn admit(&self, request: &impl Incoming) -> Admitting {
        let owed = if self.skips(request) { None } else { self.owed(request) };
        let asked_by = AskedBy::request(request.door(), owed.as_ref().and_then(|it| it.route));
        let is_dry_run = request.is_dry_run();
        let wants_id = self.0.observer.as_ref().is_some_and(|it| it.wants_request_ids());
        let request_id = if wants_id { request.request_id() } else { None };
        let asked_by = AskedBy {
            request_id: request_id.map(|id| id.into_owned().into()),
            wants_receipt: request.wants_receipt() || self.will_settle(request, owed.as_ref()),
            is_observed: !is_dry_run,
            holds_slots: request.holds_slots(),
            ..asked_by
        };
        let count = u32::from(!is_dry_run);
        let uncounted = |outcome, admission| {
            self.observe_uncounted(&asked_by, outcome);
            Admitting::decided(admission)
        };
        if owed.is_none() && !self.may_refuse_clients() {
            return uncounted(Outcome::Unlimited, Admission::Passes(None));
        }
        let route = owed.as_ref().and_then(|owed| owed.route);
        self.with_client(request, route, |client| {
            let access = self.access(client);
            if access == Access::Blocked {
                return uncounted(Outcome::Blocked, Admission::Refused(Refused::Blocked));
            }
            if let Some(banned) = self.banned(owed.as_ref().map(|owed| owed.policies), client) {
                let refused = Refused::Banned(banned);
                return uncounted(Outcome::Banned, Admission::Refused(refused));
            }
            match owed {
                _ if access == Access::Allowed => {
                    uncounted(Outcome::Allowed, Admission::Passes(None))
                }
                None => uncounted(Outcome::Unlimited, Admission::Passes(None)),
                Some(owed) => self.admit_counted(&asked_by, &owed, count, client),
            }
        })
    }

    /// Whether any client may be refused, or passes, whatever it asks for.
    pub(super) fn may_refuse_clients(&self) -> bool {
        self.has_access_lists() || self.0.overridden.load().is_some()
    }

    /// Decides about a request of `client` by its policies. A `count` of 0 charges nothing.
    fn admit_counted(
        &self,
        asked_by: &AskedBy,
        owed: &Owed<'_>,
        count: u32,
        client: &Client<'_>,
    ) -> Admitting {
        let ask = |policies, count| self.ask(asked_by.clone(), policies, owed.cost, count, client);
        if owed.policies.is_empty() {
            self.observe_uncounted(asked_by, Outcome::Unlimited);
        }
        let check = (!owed.policies.is_empty()).then(|| ask(owed.policies, count));
        let peek = owed.peek.filter(|peek| !peek.is_empty());
        Admitting::start(check, || peek.map(|peek| ask(peek, 0)))
    }

    /// The policies that `request` is charged under; `None` if it has no route, or passes uncounted.
    #[cfg(feature = "server")]
    pub(crate) fn policies_met<'a>(&'a self, request: &'a impl Incoming) -> Option<&'a Policies> {
        if self.skips(request) { None } else { self.owed(request).map(|owed| owed.policies) }
    }

    /// The policies that `request` meets, and its cost; `None` if it has no route.
    pub(super) fn owed<'a>(&'a self, request: &'a impl Incoming) -> Option<Owed<'a>> {
        let owed = match request.policies() {
            Some(policies) => Owed { policies, peek: None, cost: Cost::ONE, route: None },
            None => {
                let index = self.0.routes.find(request.method(), request.path())?;
                let Route { policies, peek, cost, .. } = self.0.routes.at(index)?;
                Owed { policies, peek: Some(peek), cost: *cost, route: Some(index) }
            }
        };
        Some(Owed { cost: request.cost().unwrap_or(owed.cost), ..owed })
    }
}

/// The charge of a request, for any client.
pub(super) struct Owed<'a> {
    pub(super) policies: &'a Policies,
    pub(super) peek: Option<&'a Policies>,
    pub(super) cost: Cost,
    /// The index of the route that says so.
    pub(super) route: Option<usize>,
}

impl Admitting {
    fn decided(admission: Admission) -> Self {
        Self(MaybeReady::ready(admission))
    }

    /// Decides by `check` and `peek`. The peek is not begun if the check refuses at once.
    pub(super) fn start(check: Option<Check>, peek: impl FnOnce() -> Option<Check>) -> Self {
        let checked = match check.map(Check::now) {
            None => None,
            Some(Ok(checked)) => match Admission::of(checked) {
                Admission::Passes(checked) => checked,
                refused => return Self::decided(refused),
            },
            Some(Err(check)) => return Self::pending(Some(check), None, peek()),
        };
        match peek().map(Check::now) {
            None => Self::decided(Admission::Passes(checked)),
            Some(Ok(peeked)) => Self::decided(passes(checked, Some(peeked))),
            Some(Err(peek)) => Self::pending(None, checked, Some(peek.into())),
        }
    }

    fn pending(
        check: Option<check::Deciding>,
        checked: Option<Decision>,
        peek: Option<Check>,
    ) -> Self {
        Self(MaybeReady::Pending(Box::new(Deciding { check, checked, peek })))
    }

    /// The admission.
    ///
    /// # Errors
    /// With the future to await, if it is not decided yet.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn now(self) -> Result<Admission, Box<Deciding>> {
        self.0.now()
    }
}

impl Future for Admitting {
    type Output = Admission;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Admission> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl Future for Deciding {
    type Output = Admission;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Admission> {
        if let Some(check) = &mut self.check {
            match Admission::of(ready!(Pin::new(check).poll(context))) {
                Admission::Passes(checked) => self.checked = checked,
                refused => return Poll::Ready(refused),
            }
            self.check = None;
        }
        let peeked = match &mut self.peek {
            Some(peek) => Some(ready!(Pin::new(peek).poll(context))),
            None => None,
        };
        Poll::Ready(passes(self.checked.take(), peeked))
    }
}

impl Admission {
    /// The admission by the result of a check.
    fn of(checked: Result<Decision, Unavailable>) -> Self {
        match checked {
            Ok(decision) if decision.is_allowed() => Self::Passes(Some(decision)),
            Ok(denied) => Self::Refused(match denied.banned() {
                Some(banned) => Refused::Banned(banned.clone()),
                None => Refused::Denied(denied),
            }),
            Err(unavailable) => Self::Refused(Refused::Undecided(unavailable)),
        }
    }
}

/// A request that passes, with the standings of the policies that were checked and read. If the peek failed, its
/// standings are left out.
fn passes(checked: Option<Decision>, peeked: Option<Result<Decision, Unavailable>>) -> Admission {
    let peeked = peeked.and_then(Result::ok).map(Decision::into_report);
    Admission::Passes(checked.into_iter().chain(peeked).reduce(Decision::and))
}
