//! The statuses of responses for which requests count.

use crate::app::config::section::Section;
use crate::domain::policy::{Policy, Statuses};

/// What messages call a list of statuses.
const EXPECTED: &str = "statuses, as in [\"401\", \"5xx\"]";

/// The statuses in a policy's section, as far as they are set.
pub(super) struct Outcomes {
    charge_on: Option<Statuses>,
    refund_on: Option<Statuses>,
}

impl Outcomes {
    pub(super) fn of(section: &mut Section) -> Self {
        Self {
            charge_on: statuses(section, "charge_on"),
            refund_on: statuses(section, "refund_on"),
        }
    }

    pub(super) fn add_to(self, policy: Policy) -> Policy {
        let policy = match self.charge_on {
            Some(statuses) => policy.with_charge_on(statuses),
            None => policy,
        };
        match self.refund_on {
            Some(statuses) => policy.with_refund_on(statuses),
            None => policy,
        }
    }
}

fn statuses(section: &mut Section, name: &'static str) -> Option<Statuses> {
    section.get(name, None, |leaf| {
        let listed = leaf.list(EXPECTED)?;
        Statuses::new(listed).map(Some).map_err(|error| leaf.refuse(error))
    })
}
