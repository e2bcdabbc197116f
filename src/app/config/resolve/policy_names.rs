//! Lists of the names of policies.

use std::collections::BTreeSet;

use super::policies::Policies;
use crate::app::config::section::Section;
use crate::app::config::words::{one_of, show_text};

/// The names in the list `option`, of `policies`. What is in `seen` already is listed twice for `what`.
pub(super) fn policy_names(
    section: &mut Section,
    option: &'static str,
    policies: &Policies,
    seen: &mut BTreeSet<String>,
    what: &str,
) -> Vec<String> {
    let Some(leaf) = section.take(option) else { return Vec::new() };
    let listed = leaf.list("names, as in [\"default\"]");
    let listed = section.note(listed).unwrap_or_default();
    for name in &listed {
        if !policies.contains_key(name) {
            let there_are = one_of(&policies.keys().collect::<Vec<_>>());
            let message = format!("no policy is called {}, expected {there_are}", show_text(name));
            section.note::<()>(Err(leaf.refuse(message)));
        } else if !seen.insert(name.clone()) {
            let message = format!("the policy {} is listed twice for {what}", show_text(name));
            section.note::<()>(Err(leaf.refuse(message)));
        }
    }
    listed
}
