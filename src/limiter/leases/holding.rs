//! What this process holds of one key.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::chunk;
use super::counts::Counters;
use super::demand::Demand;
use super::unused::Unused;
use crate::domain::clock::Millis;
use crate::domain::standing::{Retry, Standing};
use crate::store::{Charge, Few};

/// The leases of one key, and what is known of it. Time is read from a clock that never steps back.
#[derive(Debug)]
pub(super) struct Holding {
    /// A charge of one unit to the key.
    pub(super) charge: Charge,
    pub(super) counters: Arc<Counters>,
    /// How long a lease lasts at most.
    lease: Millis,
    demand: Demand,
    /// The oldest first.
    leases: Few<Lease>,
    /// How many leases there were.
    count: u64,
    /// Where the key stood in the store after the last lease, and when.
    known: Option<(Standing, Millis)>,
    /// The units in hand when the last lease came.
    full: u64,
    /// Whether more units are being asked for.
    is_asking: bool,
    /// Until then, no more units are asked for.
    not_before: Millis,
}

/// Units that are charged already.
#[derive(Clone, Copy, Debug)]
struct Lease {
    number: u64,
    granted: u64,
    left: u64,
    ends: Millis,
    charged_at: Option<Millis>,
}

/// Units that were taken for one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The number of their lease.
    lease: u64,
    /// Where the key stands afterwards.
    pub(super) standing: Standing,
    /// When they were charged, by the store's clock.
    pub(super) charged_at: Option<Millis>,
}

/// What the store granted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) units: u64,
    pub(super) standing: Standing,
    pub(super) charged_at: Option<Millis>,
    /// The moment before the store was asked.
    pub(super) asked: Millis,
}

impl Holding {
    /// Nothing yet of the key of `charge`, which is of one unit.
    pub(super) fn new(charge: Charge, lease: Millis, counters: Arc<Counters>) -> Self {
        Self {
            charge,
            counters,
            lease,
            demand: Demand::default(),
            leases: Few::new(),
            count: 0,
            known: None,
            full: 0,
            is_asking: false,
            not_before: 0,
        }
    }

    /// Takes `cost` units for a request at `now`, if they are in hand.
    pub(super) fn take(&mut self, cost: u64, now: Millis) -> Option<Taken> {
        self.demand.add(cost, now, self.lease);
        let (standing, at) = self.known?;
        // A request after which the next one might be denied asks the store, which knows until when.
        let remaining = standing.remaining.saturating_add(self.left(now)).checked_sub(cost)?;
        let lease = self.leases.iter_mut().find(|it| now < it.ends && it.left >= cost);
        let lease = lease.filter(|_| remaining >= cost)?;
        lease.left -= cost;
        let reset_after = standing.reset_after.saturating_sub(now.saturating_sub(at)).max(1);
        let standing = Standing::new(remaining, reset_after, Retry::Now);
        Some(Taken { lease: lease.number, standing, charged_at: lease.charged_at })
    }

    /// Takes back units that no request used after all. Returns them if their lease has ended meanwhile.
    pub(super) fn put_back(&mut self, taken: &Taken, cost: u64, now: Millis) -> Option<Unused> {
        self.demand.take_back(cost);
        match self.leases.iter_mut().find(|it| it.number == taken.lease && now < it.ends) {
            Some(lease) => {
                lease.left += cost;
                None
            }
            None => Some(self.unused(cost, taken.charged_at)),
        }
    }

    /// Whether more units should be asked for at `now`. Then it counts as asking, until it is granted or refused.
    pub(super) fn begins_to_ask(&mut self, now: Millis) -> bool {
        let begins = !self.is_asking && now >= self.not_before && {
            let lasting = now.saturating_add(chunk::spare_time(self.lease));
            let left = self.left(lasting);
            self.demand.requests(now, self.lease) >= chunk::BUSY && chunk::is_low(left, self.full)
        };
        self.is_asking |= begins;
        begins
    }

    /// The units that were used within the last lease time.
    pub(super) fn demand(&mut self, now: Millis) -> u64 {
        self.demand.units(now, self.lease)
    }

    /// The units that remained in the store, if it said so within the last lease time and they are plenty.
    pub(super) fn plenty(&mut self, now: Millis, instances: NonZeroU64) -> Option<u64> {
        let (standing, _) = self.known.filter(|(_, at)| now.saturating_sub(*at) < self.lease)?;
        let demand = self.demand(now);
        chunk::is_plenty(standing.remaining, instances, demand).then_some(standing.remaining)
    }

    /// Holds what the store granted, unless its time is over already. Returns whether it holds it.
    pub(super) fn grant(&mut self, grant: Grant, now: Millis) -> bool {
        self.is_asking = false;
        let Grant { units, standing, charged_at, asked } = grant;
        self.known = Some((standing, asked));
        let ends = asked + chunk::lasts(&self.charge.policy, self.lease, standing.reset_after);
        if now >= ends {
            return false;
        }
        self.count += 1;
        self.leases.push(Lease {
            number: self.count,
            granted: units,
            left: units,
            ends,
            charged_at,
        });
        self.full = self.left(now);
        true
    }

    /// Learns that no more units can be leased now.
    pub(super) fn refuse(&mut self, now: Millis) {
        self.is_asking = false;
        self.not_before = now.saturating_add(self.lease);
    }

    /// The units that are in hand at `now`.
    pub(super) fn left(&self, now: Millis) -> u64 {
        self.leases.iter().filter(|it| now < it.ends).map(|it| it.left).sum()
    }

    /// The most units that one request can take at `now`.
    pub(super) fn most(&self, now: Millis) -> u64 {
        let left = self.leases.iter().filter(|it| now < it.ends).map(|it| it.left);
        left.max().unwrap_or_default()
    }

    /// How many leases it has.
    pub(super) fn leases(&self) -> usize {
        self.leases.len()
    }

    /// Ends the leases whose time is over at `now`, and all of them if no request has come for half a lease time.
    pub(super) fn end_old(&mut self, now: Millis) -> Few<Unused> {
        let is_idle = self.demand.idle_for(now) >= (self.lease / 2).max(1);
        self.end(|it| is_idle || now >= it.ends || it.left == 0)
    }

    /// Ends all leases.
    pub(super) fn end_all(&mut self) -> Few<Unused> {
        self.end(|_| true)
    }

    /// Whether it can be forgotten: it has no lease, and nobody has asked for the key for a while.
    pub(super) fn is_over(&self, now: Millis) -> bool {
        self.leases.is_empty() && !self.is_asking && self.demand.idle_for(now) >= 2 * self.lease
    }

    fn end(&mut self, ends: impl Fn(&Lease) -> bool) -> Few<Unused> {
        let mut unused = Few::new();
        for lease in self.leases.iter().filter(|lease| ends(lease)) {
            self.counters.spent(lease.granted - lease.left);
            if lease.left > 0 {
                unused.push(self.unused(lease.left, lease.charged_at));
            }
        }
        self.leases.retain(|lease| !ends(lease));
        unused
    }

    fn unused(&self, units: u64, charged_at: Option<Millis>) -> Unused {
        Unused { charge: self.charge.clone(), units, charged_at, counters: self.counters.clone() }
    }
}

#[cfg(test)]
mod tests;
