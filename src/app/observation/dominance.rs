//! Finds a key that takes most of its policy's requests, as the address of a proxy does that is not known as one.

use super::no_key::tag_of_no_key;
use super::who::{BusiestKey, Who};
use crate::domain::policy::Policy;

/// Fewer requests than this in the last minutes say nothing about a policy.
const FEWEST: u64 = 100;

/// The busiest key of `policy`. `None` if too few requests came, or if the key is the one that requests share on
/// purpose, or because they have nothing that the policy counts by.
pub(crate) fn dominant(who: &Who, policy: &Policy) -> Option<BusiestKey> {
    let no_key = tag_of_no_key(policy)?;
    let busiest = who.busiest(policy.name())?;
    (busiest.all >= FEWEST && busiest.key != no_key).then_some(busiest)
}

#[cfg(test)]
mod tests;
