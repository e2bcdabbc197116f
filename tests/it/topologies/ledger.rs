//! What became of the requests of each of several users.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tollgate::store::{Acquire, Charge, Store as _};
use tollgate::{RedisStore, StoreErrorKind};

/// Who was admitted how often, and who was not answered how often, and why at last.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    admitted: Mutex<BTreeMap<String, u64>>,
    pub(super) failures: Mutex<BTreeMap<String, (u64, Option<StoreErrorKind>)>>,
}

impl Ledger {
    /// Asks for one request of `whose` under `charges`, and writes down what came of it; whether it
    /// was decided.
    pub(super) fn ask(&self, store: &RedisStore, whose: &str, charges: Vec<Charge>) -> bool {
        let answer = store.acquire(&Acquire::new(charges, 1)).wait();
        let mut admitted = self.admitted.lock().expect("no thread panics with it");
        let entry = admitted.entry(whose.to_owned()).or_default();
        match answer {
            Ok(answer) => *entry += u64::from(answer.admitted),
            Err(error) => {
                let mut failures = self.failures.lock().expect("no thread panics with it");
                let failure = failures.entry(whose.to_owned()).or_default();
                *failure = (failure.0 + 1, Some(error.kind()));
                return false;
            }
        }
        true
    }

    pub(super) fn of(&self, whose: &str) -> u64 {
        self.admitted.lock().expect("no thread panics with it").get(whose).copied().unwrap_or(0)
    }

    pub(super) fn failures(&self, whose: &str) -> u64 {
        let failures = self.failures.lock().expect("no thread panics with it");
        failures.get(whose).map_or(0, |failure| failure.0)
    }
}
