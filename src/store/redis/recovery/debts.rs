//! Who owes a store what was admitted without it, and who settles that.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::store::{Acquire, Acquired, Debtor, StoreErrorKind};

/// Settles debts to several servers, each debt with its own server.
pub(crate) trait Settler: Send + Sync {
    /// Charges `debts`, and returns the answer to each of them. It asks servers that are down as well,
    /// because they may be back.
    fn settle(&self, debts: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>>;
}

/// The debts to one store.
#[derive(Default)]
pub(crate) struct Debts {
    debtors: Mutex<Vec<Weak<dyn Debtor>>>,
    settler: Option<Weak<dyn Settler>>,
}

impl Debts {
    /// The debts to a store of several servers, which `settler` settles.
    pub(crate) fn settled_by(settler: Weak<dyn Settler>) -> Self {
        Self { settler: Some(settler), ..Self::default() }
    }

    /// Asks `debtor` for its debts from now on, each time a server is back.
    pub(crate) fn add_debtor(&self, debtor: Weak<dyn Debtor>) {
        let mut debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.retain(|known| known.strong_count() > 0);
        debtors.push(debtor);
    }

    pub(super) fn debtors(&self) -> Vec<Arc<dyn Debtor>> {
        let debtors = self.debtors.lock().unwrap_or_else(PoisonError::into_inner);
        debtors.iter().filter_map(Weak::upgrade).collect()
    }

    /// Who settles the debts; `None` if all of them are owed to one server.
    pub(super) fn settler(&self) -> Option<&Weak<dyn Settler>> {
        self.settler.as_ref()
    }
}

impl fmt::Debug for Debts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Debts").finish_non_exhaustive()
    }
}
