//! The units that one request has in hand, and what the store answers about the rest of its charges.

use smallvec::SmallVec;

use super::holding::Taken;
use crate::domain::standing::Standing;
use crate::store::{Acquire, Acquired, Few, Fingerprint, PenaltyKey};

/// Units that were taken from leases for one request.
#[derive(Debug, Default)]
pub(in crate::limiter) struct InHand(pub(super) SmallVec<[UnitsInHand; 2]>);

/// Those of one charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnitsInHand {
    /// The index of the charge.
    pub(super) charge: usize,
    pub(super) fingerprint: Fingerprint,
    pub(super) cost: u64,
    pub(super) taken: Taken,
}

impl InHand {
    /// Whether there are none.
    pub(in crate::limiter) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are for all charges of `asked`.
    pub(in crate::limiter) fn is_all_of(&self, asked: &Acquire) -> bool {
        self.0.len() == asked.charges.len()
    }

    /// The question about the charges of `asked` whose units are not in hand.
    pub(in crate::limiter) fn rest_of(&self, asked: &Acquire) -> Acquire {
        let is_rest = |index: &usize| self.of(*index).is_none();
        let rest: Few<usize> = (0..asked.charges.len()).filter(is_rest).collect();
        asked.part(&rest, asked.count)
    }

    /// The answer to a request that has all its units in hand.
    pub(in crate::limiter) fn answer(&self) -> Acquired {
        let standings = self.0.iter().map(|it| it.taken.standing).collect();
        let charged_at = self.0.iter().map(|it| it.taken.charged_at);
        Acquired {
            decided_at: charged_at.collect::<Option<_>>().unwrap_or_default(),
            ..Acquired::new(1, standings)
        }
    }

    /// Joins the units in hand with what was `answered` about the other charges of `whole`, which are those of `rest`.
    /// If that denies, the units count as put back.
    pub(in crate::limiter) fn join(
        &self,
        whole: &Acquire,
        rest: &Acquire,
        answered: &Acquired,
    ) -> (Acquire, Acquired) {
        let is_used = answered.is_allowed(rest.count);
        let mut asked = Acquire::new(Vec::with_capacity(whole.charges.len()), whole.count);
        let mut standings = Vec::with_capacity(whole.charges.len());
        let mut charged_at: SmallVec<[Option<_>; 4]> = SmallVec::new();
        for (index, charge) in whole.charges.iter().enumerate() {
            if let Some(UnitsInHand { cost, taken, .. }) = self.of(index) {
                let Standing { remaining, .. } = taken.standing;
                let remaining = if is_used { remaining } else { remaining.saturating_add(*cost) };
                asked.charges.push(charge.clone());
                standings.push(Standing { remaining, ..taken.standing });
                charged_at.push(taken.charged_at);
                continue;
            }
            // Without the store, fewer may have been asked.
            let Some(place) = rest.charges.iter().position(|it| it.key == charge.key) else {
                continue;
            };
            // No quota of a policy with a penalty is in hand, so all of them stand side by side.
            let of_charge = rest.penalties.iter().filter(|it| it.charges.start == place);
            let first = asked.charges.len();
            asked.penalties.extend(of_charge.map(|it| {
                let charges = first..first + it.charges.len();
                PenaltyKey { charges, ..it.clone() }
            }));
            asked.charges.push(rest.charges[place].clone());
            standings.extend(answered.standings.get(place));
            charged_at.push(answered.charged_at(place));
        }
        let decided_at = charged_at.into_iter().collect::<Option<_>>().unwrap_or_default();
        let acquired = Acquired { standings, decided_at, ..answered.clone() };
        (asked, acquired)
    }

    fn of(&self, charge: usize) -> Option<&UnitsInHand> {
        self.0.iter().find(|it| it.charge == charge)
    }
}
