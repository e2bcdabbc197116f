use super::super::Access;
use super::super::section::Section;
use crate::limiter::AccessEntry;

pub(super) fn access(section: &mut Section) -> Access {
    Access { allow: entries("allow", section), block: entries("block", section) }
}

/// The entries of a list, each bad one being a problem of its own.
fn entries(option: &'static str, section: &mut Section) -> Vec<AccessEntry> {
    const EXPECTED: &str = "networks and users, as in [\"10.0.0.0/8\", \"user:1042\"]";
    let Some(leaf) = section.take(option) else { return Vec::new() };
    let listed = section.note(leaf.list(EXPECTED)).unwrap_or_default();
    let entry = |text: String| section.note(leaf.parse_item(&text, EXPECTED, str::parse));
    listed.into_iter().filter_map(entry).collect()
}
