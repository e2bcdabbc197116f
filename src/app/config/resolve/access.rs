//! The section `[access]`.

use crate::app::config::access::AccessOptions;
use crate::app::config::section::Section;

pub(super) fn access(section: &mut Section) -> AccessOptions {
    const EXPECTED: &str = "networks and users, as in [\"10.0.0.0/8\", \"user:1042\"]";
    AccessOptions { allow: section.list("allow", EXPECTED), block: section.list("block", EXPECTED) }
}
