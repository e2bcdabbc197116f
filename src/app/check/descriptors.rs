//! Descriptors of Envoy that nobody hears of.

use super::finding::Finding;
use crate::app::config::{Config, key_of};

/// Finds descriptors where Envoy has no address to ask at.
pub(super) fn examine(config: &Config, findings: &mut Vec<Finding>) {
    let Some(first) = config.descriptors.first().filter(|_| config.gate.listen.is_none()) else {
        return;
    };
    findings.push(Finding {
        code: "descriptors-unserved",
        option: key_of(&["descriptors", &first.domain, &first.pattern.to_string(), "policies"]),
        reason: "Envoy asks at gate.listen, which is not set. So nobody meets these policies."
            .to_owned(),
        better: "gate.listen = \"127.0.0.1:8082\"".to_owned(),
    });
}
