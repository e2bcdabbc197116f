//! Who passes unchecked.

use super::finding::Finding;
use super::proxies::is_large;
use crate::app::config::Config;
use crate::limiter::AccessEntry;

const ALLOW: &str = "access.allow";

/// Finds a network of strangers among those who pass.
pub(super) fn examine(config: &Config, findings: &mut Vec<Finding>) {
    let strangers = |entry: &AccessEntry| entry.network().copied().filter(is_large);
    let Some(network) = config.access.allow.iter().find_map(strangers) else { return };
    findings.push(Finding {
        code: "allow-everyone",
        option: ALLOW.to_owned(),
        reason: format!(
            "{network} holds strangers. None of them is limited, and each may guess credentials as fast as it can. \
             To limit nobody for a while, switch policies off by mode = \"off\"."
        ),
        better: format!("{ALLOW} = []"),
    });
}
