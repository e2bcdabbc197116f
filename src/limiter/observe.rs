//! Tells the observer of a limiter what was decided.

use super::Limiter;
use super::observer::{AskedBy, DecidedBy, DecisionEvent, Outcome};
use crate::domain::quota::Cost;
use crate::domain::standing::Standing;
use crate::store::Acquire;

impl Limiter {
    /// Tells the observer of a request on which nobody counts.
    pub(super) fn observe_uncounted(&self, asked_by: AskedBy, outcome: Outcome) {
        self.observe(
            &Acquire::new(Vec::new(), Cost::ONE, 1),
            asked_by,
            DecidedBy::Limiter,
            &[],
            outcome,
        );
    }

    /// Tells the observer what was decided about `asked`, if there is an observer.
    pub(super) fn observe(
        &self,
        asked: &Acquire,
        asked_by: AskedBy,
        decided_by: DecidedBy,
        standings: &[Standing],
        outcome: Outcome,
    ) {
        let Some(observer) = &self.0.observer else { return };
        observer.on_decision(&DecisionEvent {
            door: asked_by.door,
            route: asked_by.route.and_then(|route| self.0.routes.at(route)),
            outcome,
            decided_by,
            charges: &asked.charges,
            standings,
            cost: asked.cost,
            is_peek: asked.count == 0,
        });
    }
}
