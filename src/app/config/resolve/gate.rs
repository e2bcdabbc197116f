//! The section `[gate]`.

use super::server::{digest, listen};
use crate::app::config::options::GateOptions;
use crate::app::config::section::Section;

pub(super) fn gate(section: &mut Section) -> GateOptions {
    let token = section.get("token_sha256", None, digest);
    let needs = "expected gate.token_sha256, which `tollgate keys token` makes, or an address such as \
                 127.0.0.1:8082";
    GateOptions { listen: listen(section, token.is_some(), needs), token }
}
