//! What a request counts for in the end: some policies count it only if its response has some status.
//!
//! Every request is charged before it passes. Otherwise as many guesses as there are connections could be under way
//! before the first one is known to be wrong. What does not count is given back as soon as the status is known.
//!
//! If nobody tells the status, the charge stands. Otherwise a client that hangs up in time would hide its guess.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::admission::Owed;
use super::in_flight::give_back;
use super::refund::keys;
use super::{GivenBack, Incoming, Limiter};
use crate::domain::decision::Decision;
use crate::domain::policy::{CANDIDATE, Policy};
use crate::domain::receipt::{Receipt, ReceiptCharge};
use crate::store::{Answer, Awaited, Fingerprint, MaybeReady, Refund, Refunded, StoreError};

/// Settles decisions by the status of the response.
#[derive(Clone, Debug)]
pub(crate) struct Settler(Limiter);

/// A decision that is being settled. Its output tells where the policies stand without what was given back.
#[derive(Debug)]
pub(crate) struct Settling {
    due: Option<Due>,
    /// What is being given back of quotas, and what came of that.
    refund: MaybeReady<Awaited<Vec<Refunded>>>,
    /// The slots that are being given back.
    release: Option<Answer<Vec<bool>>>,
}

/// What a decision is to be given back.
#[derive(Debug)]
struct Due {
    limiter: Limiter,
    decision: Decision,
    /// The indices of the charges in the receipt.
    charges: Vec<usize>,
    keys: Vec<Fingerprint>,
}

impl Limiter {
    /// Gives back what `receipt` says was charged under policies that do not count a request whose response has this
    /// `status`, once: see [`Policy::counts`](crate::Policy::counts). The request has ended, so its slots are given back as
    /// well. The middlewares do this by themselves.
    ///
    /// A request of which nobody tells the status stays charged. Like [`refund`](Self::refund), this gives back what the
    /// keys still count.
    ///
    /// # Errors
    /// As in [`refund`](Self::refund). It may be asked again, since nothing is given back twice.
    pub async fn settle(&self, receipt: &Receipt, status: u16) -> Result<GivenBack, StoreError> {
        let mut given = self.refund_those(receipt, |charge| !self.counts(charge, status)).await?;
        given.extend(self.release(receipt).await?);
        Ok(given)
    }

    /// Whether a request that is `owed` this will be settled, and meets a policy that counts by outcome.
    pub(super) fn will_settle(&self, request: &impl Incoming, owed: Option<&Owed<'_>>) -> bool {
        let by_outcome = |owed: &Owed<'_>| owed.policies.iter().any(Policy::counts_by_outcome);
        self.0.counts_by_outcome && request.settles() && owed.is_some_and(by_outcome)
    }

    /// What settles decisions; `None` if no policy counts by outcome, or limits the requests under way.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn settler(&self) -> Option<Settler> {
        let settles = self.0.counts_by_outcome || self.0.in_flight.is_some();
        settles.then(|| Settler(self.clone()))
    }

    /// Whether the policy of `charge` counts a request whose response has this status. It is as it is configured now.
    fn counts(&self, charge: &ReceiptCharge, status: u16) -> bool {
        if charge.slot.is_some() {
            // A slot is given back when the request ends, whatever its status.
            return true;
        }
        let name = charge.policy.name();
        let variants = self.0.variants.get(name.strip_suffix(CANDIDATE).unwrap_or(name));
        variants.map_or(&charge.policy, |variants| variants.policy()).counts(status)
    }
}

impl Settler {
    /// Settles `decision` about a request whose response has this `status`. If it `has_ended`, since its response has no
    /// body, its slots are given back as well.
    ///
    /// # Errors
    /// With the future to await, if something has to be given back first. It is under way already. It ends within the
    /// time limits of the store.
    pub(crate) fn settle(
        self,
        mut decision: Decision,
        status: u16,
        has_ended: bool,
    ) -> Result<Decision, Box<Settling>> {
        let Self(limiter) = self;
        let slots = if has_ended { decision.take_slots() } else { None };
        let release = slots.and_then(|slots| give_back(&slots));
        let all = decision.receipt().into_iter().flat_map(Receipt::charges).enumerate();
        let due = all.filter(|(_, charge)| !limiter.counts(charge, status));
        let (charges, refunds): (Vec<usize>, Vec<Refund>) =
            due.map(|(index, charge)| (index, limiter.refund_of(charge))).unzip();
        if refunds.is_empty() && release.is_none() {
            return Ok(decision);
        }
        let keys = keys(&refunds);
        // It needs no mark: nobody else has this receipt, and nobody asks twice.
        let refund = match decision.receipt() {
            Some(receipt) => limiter.begin_refunds(receipt, refunds).now(),
            None => Ok(Ok(Vec::new())),
        };
        let due = Due { limiter, decision, charges, keys };
        match (refund, release) {
            (Ok(refunded), None) => Ok(due.end(&refunded)),
            (refund, release) => {
                let refund = refund.map_or_else(MaybeReady::Pending, MaybeReady::ready);
                Err(Box::new(Settling { due: Some(due), refund, release }))
            }
        }
    }
}

impl Future for Settling {
    /// `None` if it has ended before.
    type Output = Option<Decision>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(release) = &mut self.release {
            // A slot that cannot be given back ends by itself.
            let _ = ready!(Pin::new(release).poll(context));
            self.release = None;
        }
        let refunded = ready!(Pin::new(&mut self.refund).poll(context));
        Poll::Ready(self.due.take().map(|due| due.end(&refunded)))
    }
}

impl Due {
    /// The decision without what was given back. If the store failed, the charge stands.
    fn end(self, refunded: &Result<Vec<Refunded>, StoreError>) -> Decision {
        let Self { limiter, mut decision, charges, keys } = self;
        let Some(receipt) = decision.receipt() else { return decision };
        let of_receipt = charges.iter().filter_map(|index| receipt.charges().get(*index));
        let of_receipt: Vec<&ReceiptCharge> = of_receipt.collect();
        limiter.end_refunds(&of_receipt, &keys, refunded);
        let given = of_receipt.iter().zip(&charges).zip(refunded.iter().flatten());
        let in_force = given.filter(|((charge, _), _)| !charge.is_trial);
        let given: Vec<_> =
            in_force.map(|((charge, index), it)| (*index, it.units(), charge.cost)).collect();
        for (index, units, cost) in given {
            decision.give_back(index, units, cost);
        }
        decision
    }
}
