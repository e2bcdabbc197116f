//! The section `[cors]`.

use crate::app::config::access::CorsOptions;
use crate::app::config::section::Section;

pub(super) fn cors(section: &mut Section) -> CorsOptions {
    let passes = |text: &str| match text {
        "limit" => Ok(false),
        "pass" => Ok(true),
        _ => Err(format!("{text:?} says nothing about preflights: expected limit or pass")),
    };
    let default = CorsOptions::default();
    CorsOptions {
        passes_preflights: section.get("preflight", default.passes_preflights, |leaf| {
            leaf.parse("limit or pass", passes)
        }),
    }
}
