//! A limiter acts by the overrides of operators.

use std::sync::Arc;

use super::Inner;
use super::overrides::{Follow, Override, StoreTime};

impl Follow for Inner {
    fn follow(&self, overrides: &[Override], time: &Arc<StoreTime>) {
        let policies = self.variants.values().flat_map(|variants| variants.as_met());
        self.overridden.set(overrides, time, policies);
        // A denial may have been ended by a boost.
        if let Some(cache) = &self.deny_cache {
            cache.clear();
        }
        if let Some(leases) = &self.leases {
            leases.end_all();
        }
    }
}
