//! The plans that policies know, and a warning about others.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::domain::policy::{MAX_NAME, Policy};

/// The log warns of at most this many unknown plans, so that made-up ones do not fill it.
const MOST_WARNED: usize = 32;

/// The plans for which any policy has a quota.
#[derive(Debug, Default)]
pub(super) struct Plans {
    known: HashSet<Box<str>>,
    /// The unknown plans of which the log has warned.
    warned_of: Mutex<HashSet<Box<str>>>,
}

impl Plans {
    /// The plans of `policies`.
    pub(super) fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let known = policies.into_iter().flat_map(Policy::plans).map(|(plan, _)| plan.into());
        Self { known: known.collect(), warned_of: Mutex::default() }
    }

    /// Warns once of a `plan` that no policy knows: the issuer of credentials and the configuration
    /// disagree.
    pub(super) fn notice(&self, plan: &str) {
        if let Some(plan) = self.first_seen(plan) {
            log::warn!("No policy has a plan {plan:?}: its users get the quotas of everyone.");
        }
    }

    /// The plan, if it is unknown and the log has not warned of it yet; shortened to the longest valid
    /// name.
    fn first_seen<'a>(&self, plan: &'a str) -> Option<&'a str> {
        if self.known.contains(plan) {
            return None;
        }
        let end = plan.char_indices().nth(MAX_NAME).map_or(plan.len(), |(end, _)| end);
        let plan = &plan[..end];
        let mut warned_of = self.warned_of.lock().unwrap_or_else(PoisonError::into_inner);
        (warned_of.len() < MOST_WARNED && warned_of.insert(plan.into())).then_some(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plans() -> Plans {
        let policy = Policy::new("default", "1/day".parse().unwrap()).unwrap();
        let other = Policy::new("other", "1/day".parse().unwrap()).unwrap();
        let policy = policy.with_plan("pro", "2/day".parse().unwrap()).unwrap();
        let other = other.with_plan("free", "2/day".parse().unwrap()).unwrap();
        Plans::of([&policy, &other])
    }

    #[test]
    fn the_log_does_not_warn_of_a_plan_that_any_policy_knows() {
        for plan in ["pro", "free"] {
            assert_eq!(plans().first_seen(plan), None);
        }
    }

    #[test]
    fn the_log_warns_once_of_each_unknown_plan() {
        let plans = plans();
        let warnings =
            ["gold", "gold", "Pro", "gold", "Pro", ""].map(|plan| plans.first_seen(plan));
        assert_eq!(warnings, [Some("gold"), None, Some("Pro"), None, None, Some("")]);
    }

    #[test]
    fn made_up_plans_neither_fill_the_log_nor_the_memory() {
        let plans = plans();
        let warned =
            (0..1_000).filter(|number| plans.first_seen(&number.to_string()).is_some()).count();
        assert_eq!(warned, MOST_WARNED);
        let long = "\u{e9}".repeat(100_000);
        assert_eq!(
            self::plans().first_seen(&long).map(|plan| plan.chars().count()),
            Some(MAX_NAME)
        );
    }
}
