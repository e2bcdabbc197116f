//! The section `[gate]`.

use super::gate_tls::tls;
use super::proxy_protocol::proxy_protocol;
use super::server::{digest, listen, max_connections, own_limits};
use crate::app::config::options::GateOptions;
use crate::app::config::section::Section;
use crate::app::config::server::ConnectionLimits;

/// The most questions that one call to the store carries.
const MOST_AT_ONCE: u32 = 128;

/// The gate, whose connections are limited by `of_server` where it has no options of its own.
pub(super) fn gate(section: &mut Section, of_server: ConnectionLimits) -> GateOptions {
    let default = GateOptions::default();
    let ConnectionLimits { header_timeout, body_timeout, keep_alive, max_body_bytes, .. } =
        default.limits;
    let own =
        ConnectionLimits { header_timeout, body_timeout, keep_alive, max_body_bytes, ..of_server };
    let gate = GateOptions {
        listen: None,
        token: section.get("token_sha256", None, digest),
        tls: section.table("tls", tls),
        proxy_protocol: proxy_protocol(section),
        max_connections: max_connections(section, default.max_connections),
        max_batch: section.get("max_batch", default.max_batch, |leaf| leaf.size(1..=MOST_AT_ONCE)),
        limits: own_limits(section, own),
    };
    let needs = "expected gate.token_sha256, which `tollgate keys token` makes, gate.tls.client_ca_file, \
                 or an address such as 127.0.0.1:8082";
    GateOptions { listen: listen(section, gate.knows_callers(), needs), ..gate }
}
