use super::super::Access;
use super::super::section::Section;
use crate::limiter::AccessEntry;

pub(super) fn access(section: &mut Section) -> Access {
    Access { allow: entries("allow", section), block: entries("block", section) }
}

/// The entries of a list, each bad one being a problem of its own.
fn entries(option: &'static str, section: &mut Section) -> Vec<AccessEntry> {
    let Some(leaf) = section.take(option) else { return Vec::new() };
    let expected = "networks and users, as in [\"10.0.0.0/8\", \"user:1042\"]";
    let listed = section.note(leaf.list(expected)).unwrap_or_default();
    let mut entries = Vec::new();
    for text in listed {
        let entry = text.parse().map_err(|problem| leaf.refuse(problem));
        entries.extend(section.note::<AccessEntry>(entry));
    }
    entries
}
