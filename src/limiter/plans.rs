//! The plans that any policy knows, and a word about the others.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use crate::domain::policy::{MAX_NAME, Policy};

/// How many unknown plans the log tells of: beyond that it is no longer news.
const MOST_TOLD: usize = 32;

/// The plans that any policy has a quota for.
#[derive(Debug, Default)]
pub(super) struct Plans {
    known: HashSet<Box<str>>,
    /// The unknown ones that the log has told of.
    told: Mutex<HashSet<Box<str>>>,
}

impl Plans {
    /// The plans of `policies`.
    pub(super) fn of<'a>(policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let known = policies.into_iter().flat_map(Policy::plans).map(|(plan, _)| plan.into());
        Self { known: known.collect(), told: Mutex::default() }
    }

    /// Warns of `plan`, once, if no policy knows it: whoever issues it and whoever set up the
    /// policies do not agree.
    pub(super) fn notice(&self, plan: &str) {
        if let Some(plan) = self.news(plan) {
            log::warn!("No policy has a plan {plan:?}: its users get the quotas of everyone.");
        }
    }

    /// The name of an unknown plan that was not told of yet, shortened to what a name may have.
    fn news<'a>(&self, plan: &'a str) -> Option<&'a str> {
        if self.known.contains(plan) {
            return None;
        }
        let end = plan.char_indices().nth(MAX_NAME).map_or(plan.len(), |(end, _)| end);
        let plan = &plan[..end];
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        (told.len() < MOST_TOLD && told.insert(plan.into())).then_some(plan)
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
    fn a_plan_that_any_policy_knows_is_no_news() {
        for plan in ["pro", "free"] {
            assert_eq!(plans().news(plan), None);
        }
    }

    #[test]
    fn an_unknown_plan_is_news_once_and_each_name_its_own() {
        let plans = plans();
        let news = ["gold", "gold", "Pro", "gold", "Pro", ""].map(|plan| plans.news(plan));
        assert_eq!(news, [Some("gold"), None, Some("Pro"), None, None, Some("")]);
    }

    #[test]
    fn made_up_plans_neither_fill_the_log_nor_the_memory() {
        let plans = plans();
        let told = (0..1_000).filter(|number| plans.news(&number.to_string()).is_some()).count();
        assert_eq!(told, MOST_TOLD);
        let long = "\u{e9}".repeat(100_000);
        assert_eq!(self::plans().news(&long).map(|told| told.chars().count()), Some(MAX_NAME));
    }
}
