//! Who may use the slots that policies keep in reserve.

use super::policies::Policies;
use crate::app::config::section::Section;
use crate::domain::policy::Share;

/// Whether requests under the policies `named` use their reserves. At least one of them has to have one.
pub(super) fn uses_reserve(section: &mut Section, named: &[String], policies: &Policies) -> bool {
    // A bad policy may have one.
    let may_have_one = |name: &String| match policies.get(name) {
        Some(Some(policy)) => policy.reserve() != Share::NONE,
        _ => true,
    };
    section.get("uses_reserve", false, |leaf| match leaf.flag()? {
        true if !named.iter().any(may_have_one) => {
            Err(leaf.refuse("none of its policies has a reserve: expected one that has"))
        }
        uses_reserve => Ok(uses_reserve),
    })
}
