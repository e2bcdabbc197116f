//! Policies in order, as requests meet them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::error::LimiterError;
use super::variants::PolicyVariants;
use crate::domain::policy::Policy;

/// The policies that a request meets, in order. [`Limiter::policies`](crate::Limiter::policies) makes them.
#[derive(Clone, Debug)]
pub struct Policies(pub(super) Arc<[Arc<PolicyVariants>]>);

impl Policies {
    /// The policies, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.0.iter().map(|variants| &**variants.policy())
    }

    /// Notes that requests are charged under these together: charges to all but the last may be refunded.
    pub(super) fn note_charged_together(&self) {
        let (_, earlier) = self.0.split_last().unzip();
        earlier.into_iter().flatten().for_each(|it| it.note_charged_before_others());
    }

    /// The same policies, for requests that may use the [reserve](Policy::with_reserve) of their slots.
    #[must_use]
    pub fn with_reserve(&self) -> Self {
        Self(self.0.iter().map(|it| it.with_reserve().clone()).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The policies with these `names`, in this order.
pub(super) fn named<N: AsRef<str>>(
    variants: &HashMap<String, Arc<PolicyVariants>>,
    names: impl IntoIterator<Item = N>,
) -> Result<Policies, LimiterError> {
    let policy = |name: N| {
        let policy = variants.get(name.as_ref()).cloned();
        policy.ok_or_else(|| LimiterError::UnknownPolicy(name.as_ref().to_owned()))
    };
    let policies = Policies(names.into_iter().map(policy).collect::<Result<_, _>>()?);
    all_differ(policies.iter().map(Policy::name))?;
    Ok(policies)
}

/// # Errors
/// If one of `names` is there twice.
pub(super) fn all_differ<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), LimiterError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(LimiterError::DuplicatePolicy(name.to_owned()));
        }
    }
    Ok(())
}
