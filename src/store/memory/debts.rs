//! What is owed to the store that this process counts in place of.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::policy::Policy;
use crate::store::{BuildFingerprintHasher, Charge, Fingerprint};

/// Units that were admitted here under one key, and are owed to the store that was away.
#[derive(Debug)]
pub(super) struct Debt {
    /// The charge as that store counts it.
    pub(super) charge: Charge,
    /// The policy as this process counts it: its share of the quota.
    pub(super) share: Arc<Policy>,
    pub(super) units: u64,
}

/// The debts of one shard, by key. It is empty in a store that is no fallback.
#[derive(Debug)]
pub(super) struct Debts {
    by_key: HashMap<Fingerprint, Debt, BuildFingerprintHasher>,
    most: usize,
}

impl Debts {
    /// Room for the debts of at most `most` keys.
    pub(super) fn new(most: usize) -> Self {
        Self { by_key: HashMap::default(), most }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(super) fn has(&self, key: &Fingerprint) -> bool {
        self.by_key.contains_key(key)
    }

    /// The units that `key` owes.
    pub(super) fn units(&self, key: &Fingerprint) -> u64 {
        self.by_key.get(key).map_or(0, |debt| debt.units)
    }

    /// At most `most` of the keys that owe something.
    pub(super) fn some_keys(&self, most: usize) -> Vec<Fingerprint> {
        self.by_key.keys().copied().take(most).collect()
    }

    /// Adds `units` to what `key` owes. If too many keys owe something already, they are forgotten.
    pub(super) fn add(
        &mut self,
        key: Fingerprint,
        charge: &Charge,
        share: &Arc<Policy>,
        units: u64,
    ) {
        if let Some(debt) = self.by_key.get_mut(&key) {
            debt.units = debt.units.saturating_add(units);
        } else if self.by_key.len() < self.most {
            let debt = Debt { charge: charge.clone(), share: share.clone(), units };
            self.by_key.insert(key, debt);
        }
    }

    /// Takes `units` off what `key` owes, because they were given back.
    pub(super) fn reduce(&mut self, key: &Fingerprint, units: u64) {
        let Some(debt) = self.by_key.get_mut(key) else { return };
        debt.units = debt.units.saturating_sub(units);
        if debt.units == 0 {
            self.by_key.remove(key);
        }
    }

    pub(super) fn take(&mut self, key: &Fingerprint) -> Option<Debt> {
        self.by_key.remove(key)
    }

    /// Puts back what is left of a debt that was taken.
    pub(super) fn put_back(&mut self, key: Fingerprint, debt: Debt) {
        self.by_key.insert(key, debt);
    }
}
