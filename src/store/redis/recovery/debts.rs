//! What the links of one store have in common: what is counted, who owes, and who takes the debts.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::store::redis::health::status::Tally;
use crate::store::{Acquire, Acquired, Debtor, StoreErrorKind};

/// Takes what is owed to several servers, each debt to its own.
pub(crate) trait Collector: Send + Sync {
    /// What is answered to each of `debts`; servers that are down are asked, too.
    fn collect(&self, debts: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>>;
}

/// The books of one store.
#[derive(Default)]
pub(crate) struct Accounts {
    tally: Arc<Tally>,
    debtors: Mutex<Vec<Weak<dyn Debtor>>>,
    collector: Option<Weak<dyn Collector>>,
}

impl Accounts {
    /// Those of a store in several servers.
    pub(crate) fn of_many(collector: Weak<dyn Collector>) -> Self {
        Self { collector: Some(collector), ..Self::default() }
    }

    pub(crate) fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Has `debtor` asked for its debts when a server is back.
    pub(crate) fn add_debtor(&self, debtor: Weak<dyn Debtor>) {
        let mut debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.retain(|known| known.strong_count() > 0);
        debtors.push(debtor);
    }

    pub(crate) fn debtors(&self) -> Vec<Arc<dyn Debtor>> {
        let debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.iter().filter_map(Weak::upgrade).collect()
    }

    /// Who takes the debts, where they are not all owed to one server.
    pub(crate) fn collector(&self) -> Option<&Weak<dyn Collector>> {
        self.collector.as_ref()
    }
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("tally", &self.tally).finish_non_exhaustive()
    }
}
