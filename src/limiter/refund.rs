//! What is given back after the fact.

use std::borrow::Cow;

use super::observer::RefundEvent;
use super::{Limiter, receipt};
use crate::domain::receipt::{CountedIn, Receipt, ReceiptCharge};
use crate::store::{Answer, Charge, Few, Fingerprint, Refund, Refunded, Slot, StoreError};

/// What was given back, under each policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    units: Vec<(Box<str>, Refunded)>,
}

impl GivenBack {
    /// Adds what was given back of other policies.
    pub(super) fn extend(&mut self, other: Self) {
        self.units.extend(other.units);
    }

    /// The policies, each with the units that it was given back: those that its key still counted.
    #[must_use]
    pub fn units(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.units.iter().map(|(policy, refunded)| (&**policy, refunded.units()))
    }

    /// Whether there was something to give back, and all of it was given back before.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        let is_repeated = |(_, refunded): &(_, Refunded)| *refunded == Refunded::Before;
        !self.units.is_empty() && self.units.iter().all(is_repeated)
    }
}

impl Limiter {
    /// Gives back what `receipt` says was charged, as far as the keys still count it, and once. That includes what
    /// policies counted that are only tried out.
    ///
    /// Other processes admit its client again once the denials in their deny cache have expired. What this process
    /// charged in place of the store can only be given back here, and until it was charged to the store.
    ///
    /// # Errors
    /// If the store fails. If it [may have charged](crate::StoreErrorKind::may_have_charged), it may have given back as
    /// well. In either case it may be asked again, since nothing is given back twice.
    pub async fn refund(&self, receipt: &Receipt) -> Result<GivenBack, StoreError> {
        let mut given = self.refund_those(receipt, |_| true).await?;
        given.extend(self.release(receipt).await?);
        Ok(given)
    }

    /// Gives back those charges of `receipt` that `is_due` says, once.
    pub(super) async fn refund_those(
        &self,
        receipt: &Receipt,
        is_due: impl Fn(&ReceiptCharge) -> bool,
    ) -> Result<GivenBack, StoreError> {
        let id = receipt.id();
        let of_quotas = receipt.charges().iter().enumerate();
        let due: Vec<(usize, &ReceiptCharge)> =
            of_quotas.filter(|(_, it)| it.slot.is_none() && is_due(it)).collect();
        let refund = |(index, it): &(usize, &ReceiptCharge)| {
            let refund = self.refund_of(it);
            // Each quota of a policy is given back by itself, so it has a mark of its own.
            let is_same = |before: &&ReceiptCharge| {
                (before.policy.name(), &before.tag) == (it.policy.name(), &it.tag)
            };
            let id = match receipt.charges()[..*index].iter().filter(is_same).count() {
                0 => Cow::Borrowed(&*id),
                further => format!("{id}-{further}").into(),
            };
            let mark = self.0.keyspace.refund_key(&refund.charge.key, &it.policy, &id);
            refund.once(mark)
        };
        let refunds: Vec<Refund> = due.iter().map(refund).collect();
        let charges: Vec<&ReceiptCharge> = due.into_iter().map(|(_, it)| it).collect();
        let keys = keys(&refunds);
        let refunded = self.begin_refunds(receipt, refunds).await;
        self.end_refunds(&charges, &keys, &refunded);
        let of_each = charges.iter().zip(refunded?).filter(|(it, _)| !it.is_trial);
        let units = of_each.map(|(it, refunded)| (it.policy.name().into(), refunded));
        Ok(GivenBack { units: units.collect() })
    }

    /// Gives back the slots that `receipt` says were taken of policies that limit the requests under way, because the
    /// request has ended. The quotas stay charged.
    ///
    /// # Errors
    /// If the store fails. The slots then end by themselves.
    pub async fn release(&self, receipt: &Receipt) -> Result<GivenBack, StoreError> {
        let slot = |it| Some((it, Slot::new(self.charge_of(it), it.slot?)));
        let (charges, slots): (Vec<&ReceiptCharge>, Vec<Slot>) =
            receipt.charges().iter().filter_map(slot).unzip();
        let local = self.0.fallback.as_ref().map(|fallback| fallback.store());
        let store = match receipt.counted_in() {
            CountedIn::Store => Some(self.0.store.clone()),
            CountedIn::Process(_) => local.filter(|_| receipt::is_within_reach(receipt)),
        };
        let held = match store {
            Some(store) if !slots.is_empty() => store.release(slots).await?,
            _ => vec![false; slots.len()],
        };
        let of_each = charges.into_iter().zip(held).filter(|(it, _)| !it.is_trial);
        let given = of_each.map(|(it, is_held)| {
            let refunded = if is_held { Refunded::Given(1) } else { Refunded::Before };
            (it.policy.name().into(), refunded)
        });
        Ok(GivenBack { units: given.collect() })
    }

    /// What gives `charge` back.
    pub(super) fn refund_of(&self, charge: &ReceiptCharge) -> Refund {
        Refund::new(self.charge_of(charge).with_cost(charge.cost)).charged_at(charge.at)
    }

    /// The charge of one unit under the policy of `charge`, by its key.
    fn charge_of(&self, charge: &ReceiptCharge) -> Charge {
        let key = self.0.keyspace.key_of_tag(&charge.tag, &charge.policy);
        Charge::new(charge.policy.clone(), key)
    }

    /// Makes `refunds` of charges of `receipt` where they were counted.
    pub(super) fn begin_refunds(
        &self,
        receipt: &Receipt,
        refunds: Vec<Refund>,
    ) -> Answer<Vec<Refunded>> {
        let nothing = |refunds: &[Refund]| vec![Refunded::Given(0); refunds.len()];
        match receipt.counted_in() {
            _ if refunds.is_empty() || !receipt::is_within_reach(receipt) => {
                Answer::ready(Ok(nothing(&refunds)))
            }
            CountedIn::Store => self.0.store.refund(refunds),
            CountedIn::Process(_) => match &self.0.fallback {
                Some(fallback) => fallback.refund(refunds),
                None => Answer::ready(Ok(nothing(&refunds))),
            },
        }
    }

    /// Lets those in again who were denied for what was given back to `keys`, and tells the observer what came of the
    /// refunds of `charges`.
    pub(super) fn end_refunds(
        &self,
        charges: &[&ReceiptCharge],
        keys: &[Fingerprint],
        refunded: &Result<Vec<Refunded>, StoreError>,
    ) {
        self.reopen(keys, refunded);
        let Some(observer) = &self.0.observer else { return };
        for (index, charge) in charges.iter().enumerate().filter(|(_, it)| !it.is_trial) {
            let units = match refunded {
                Ok(all) => Ok(all.get(index).map_or(0, |it| it.units())),
                Err(error) => Err(error.kind()),
            };
            observer.on_refund(&RefundEvent { policy: &charge.policy, units });
        }
    }

    /// Makes `refunds`, and lets those in again who were denied for what is given back.
    #[cfg(any(feature = "server", test))]
    pub(super) async fn give_back_to(
        &self,
        refunds: Vec<Refund>,
    ) -> Result<Vec<Refunded>, StoreError> {
        let keys = keys(&refunds);
        let refunded = self.0.store.refund(refunds).await;
        self.reopen(&keys, &refunded);
        refunded
    }

    /// Forgets the denials of those of `keys` to which something was given back.
    fn reopen(&self, keys: &[Fingerprint], refunded: &Result<Vec<Refunded>, StoreError>) {
        let Some(cache) = &self.0.deny_cache else { return };
        let is_open = |index: usize| match refunded {
            Ok(all) => all.get(index).is_some_and(|it| it.units() > 0),
            // A refund that failed may have been made.
            Err(_) => true,
        };
        let open = keys.iter().enumerate().filter(|(index, _)| is_open(*index));
        let open: Few<Fingerprint> = open.map(|(_, key)| *key).collect();
        if !open.is_empty() {
            cache.reopen(open);
        }
    }
}

/// The keys of `refunds`.
pub(super) fn keys(refunds: &[Refund]) -> Vec<Fingerprint> {
    refunds.iter().map(|refund| refund.charge.key.fingerprint()).collect()
}
