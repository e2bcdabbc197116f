//! What is charged after the fact.

use super::check::Check;
use super::observer::AskedBy;
use super::unavailable::Unavailable;
use super::{Access, Limiter, Policies};
use crate::domain::client::Client;
use crate::domain::decision::Decision;
use crate::domain::quota::Cost;
use crate::store::{Acquire, Charge};

impl Limiter {
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
