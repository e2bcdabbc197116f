//! What is charged or given back after the fact.

use super::check::Check;
use super::observer::AskedBy;
use super::unavailable::Unavailable;
use super::{Access, Limiter, Policies};
use crate::domain::client::Client;
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;
use crate::domain::receipt::{Receipt, ReceiptCharge};
use crate::store::{Acquire, Charge, Refund, Refunded, Slot, StoreError};

/// What was given back, under each policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    units: Vec<(Box<str>, Refunded)>,
}

impl GivenBack {
    /// The policies, each with the units that it was given back: those that its key still counted.
    #[must_use]
    pub fn units(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.units.iter().map(|(policy, refunded)| match refunded {
            Refunded::Given(units) => (&**policy, *units),
            Refunded::Before => (&**policy, 0),
        })
    }

    /// Whether all of it was given back before.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.units.iter().all(|(_, refunded)| *refunded == Refunded::Before)
    }
}

impl Limiter {
    /// Gives back what `receipt` says was charged, as far as the keys still count it, and once.
    ///
    /// Other processes admit its client again once the denials in their deny cache have expired. What a policy in
    /// shadow mode counted is not given back.
    ///
    /// # Errors
    /// If the store fails. If it [may have charged](crate::StoreErrorKind::may_have_charged), it may have given back as
    /// well. In either case it may be asked again, since nothing is given back twice.
    pub async fn refund(&self, receipt: &Receipt) -> Result<GivenBack, StoreError> {
        let id = receipt.id();
        let keyspace = &self.0.keyspace;
        let refund = |(index, it): (usize, &ReceiptCharge)| {
            let key = keyspace.key_of_tag(&it.tag, &it.policy);
            // Each quota of a policy is given back by itself, so it has a mark of its own.
            let is_same = |before: &&ReceiptCharge| {
                (before.policy.name(), &before.tag) == (it.policy.name(), &it.tag)
            };
            let mark = match receipt.charges()[..index].iter().filter(is_same).count() {
                0 => keyspace.refund_key(&key, &it.policy, &id),
                further => keyspace.refund_key(&key, &it.policy, &format!("{id}-{further}")),
            };
            let charge = Charge::new(it.policy.clone().into(), key).with_cost(it.cost);
            Refund::new(charge).charged_at(it.at).once(mark)
        };
        let of_quotas = || {
            let charges = receipt.charges().iter().enumerate();
            charges.filter(|(_, it)| it.slot.is_none())
        };
        let refunds: Vec<Refund> = of_quotas().map(refund).collect();
        let refunded =
            if refunds.is_empty() { Vec::new() } else { self.give_back_to(refunds).await? };
        let names = of_quotas().map(|(_, it)| it.policy.name().into());
        let mut units: Vec<_> = names.zip(refunded).collect();
        units.extend(self.release(receipt).await?.units);
        Ok(GivenBack { units })
    }

    /// Gives back the slots that `receipt` says were taken of policies that limit the requests under way, because the
    /// request has ended. The quotas stay charged.
    ///
    /// # Errors
    /// If the store fails. The slots then end by themselves.
    pub async fn release(&self, receipt: &Receipt) -> Result<GivenBack, StoreError> {
        let keyspace = &self.0.keyspace;
        let slot = |it: &ReceiptCharge| {
            let key = keyspace.key_of_tag(&it.tag, &it.policy);
            Some(Slot::new(Charge::new(it.policy.clone().into(), key), it.slot?))
        };
        let slots: Vec<Slot> = receipt.charges().iter().filter_map(slot).collect();
        if slots.is_empty() {
            return Ok(GivenBack { units: Vec::new() });
        }
        let names: Vec<_> = slots.iter().map(|it| it.charge.policy.name().into()).collect();
        let held = self.0.store.release(slots).await?.into_iter();
        let given = held.map(|is_held| Refunded::Given(is_held.into()));
        Ok(GivenBack { units: names.into_iter().zip(given).collect() })
    }

    /// Makes `refunds`, and lets those in again who were denied for what is given back.
    pub(super) async fn give_back_to(
        &self,
        refunds: Vec<Refund>,
    ) -> Result<Vec<Refunded>, StoreError> {
        let refunded = self.0.store.refund(refunds).await;
        // A refund that failed may have been made.
        let is_nothing = |it: &Refunded| matches!(it, Refunded::Given(0) | Refunded::Before);
        let opens = refunded.as_ref().map_or(true, |all| !all.iter().all(is_nothing));
        if opens && let Some(cache) = &self.0.deny_cache {
            cache.clear();
        }
        refunded
    }

    /// Charges `client` `units` under each of `policies` after the fact, or as many as are left under it. Nobody is
    /// denied, and the [`Observer`](crate::Observer) learns nothing. The decision tells where the policies stand.
    ///
    /// Each policy is charged by itself, those in shadow mode as well. A client that an access list lets pass is not
    /// charged.
    ///
    /// # Errors
    /// When the store fails, and a policy then refuses.
    pub fn charge_up_to(
        &self,
        policies: &Policies,
        units: Cost,
        client: &Client<'_>,
    ) -> impl Future<Output = Result<Decision, Unavailable>> + Send + use<> {
        let charges = match self.access(client) {
            Access::Allowed => Vec::new(),
            _ => self.charges_after(policies, client),
        };
        let limiter = self.clone();
        // All are begun before any is awaited, so that they are one call.
        let begun: Vec<_> = charges
            .into_iter()
            .map(|charge| ChargeInSteps::begin(&limiter, charge, units))
            .collect();
        async move {
            let mut all = Decision::new(true, Vec::new(), Vec::new());
            for charge in begun {
                all = all.and(charge.end(&limiter).await?.into_report());
            }
            Ok(all)
        }
    }

    /// What `client` is charged after the fact, of one unit each.
    fn charges_after(&self, policies: &Policies, client: &Client<'_>) -> Vec<Charge> {
        let Acquire { charges, trials, .. } = self.asked_for(policies, Cost::ONE, 1, client);
        let tried = trials.iter().flat_map(|trial| trial.charges().cloned());
        // What has ended is under way no longer.
        charges.into_iter().chain(tried).filter(|charge| !charge.is_in_flight()).collect()
    }
}

/// A charge of as many units as are left. A store takes so many requests of equal cost at once; more units than that need
/// a second step, which the first one begins.
struct ChargeInSteps {
    first: Check,
    charge: Charge,
    /// The units that are still to be charged if all of the first step were left, and if not.
    rest: [u64; 2],
}

impl ChargeInSteps {
    fn begin(limiter: &Limiter, charge: Charge, units: Cost) -> Self {
        let units = units.units();
        let cost = units.div_ceil(u32::MAX.into());
        let first = start(limiter, &charge, cost, units / cost);
        Self { first, charge, rest: [units % cost, cost - 1] }
    }

    async fn end(self, limiter: &Limiter) -> Result<Decision, Unavailable> {
        let decision = self.first.await?;
        let [whole, partial] = self.rest;
        match if decision.is_allowed() { whole } else { partial } {
            0 => Ok(decision),
            rest => start(limiter, &self.charge, 1, rest).await,
        }
    }
}

/// Asks for `count` requests of `cost`.
fn start(limiter: &Limiter, charge: &Charge, cost: u64, count: u64) -> Check {
    let charge = charge.clone().with_cost(Cost::new(cost).unwrap_or(Cost::ONE));
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    Check::start(limiter, Acquire::new(vec![charge], count), AskedBy::UNOBSERVED)
}
