//! The option `proxy_protocol` of a listener, and what it needs of `[client_ip]`.

use crate::app::config::listen::Listen;
use crate::app::config::options::{ClientIpOptions, GateOptions};
use crate::app::config::section::Section;
use crate::app::config::server::ServerOptions;

/// Whether each connection to the listener of `section` has to begin with a header of the PROXY protocol.
pub(super) fn proxy_protocol(section: &mut Section) -> bool {
    let is_required = |text: &str| match text {
        "off" => Ok(false),
        "required" => Ok(true),
        "optional" => {
            Err("\"optional\" would let clients say that they are others: expected off or required"
                .to_owned())
        }
        _ => Err(format!("{text:?} is not known: expected off or required")),
    };
    section.get("proxy_protocol", false, |leaf| leaf.parse("off or required", is_required))
}

/// Refuses a `client_ip` by which nobody, or everybody, would be trusted to send that header.
pub(super) fn examine(
    section: &mut Section,
    client_ip: &ClientIpOptions,
    server: &ServerOptions,
    gate: &GateOptions,
) {
    let of_gate = gate.listen.as_ref().map(|listen| ("gate", listen, gate.proxy_protocol));
    let listeners = [("server", &server.listen, server.proxy_protocol)].into_iter().chain(of_gate);
    for (name, listen, _) in listeners.filter(|(_, _, is_required)| *is_required) {
        if client_ip.hops.is_some() {
            section.refuse(format_args!(
                "{name}.proxy_protocol is required, which hops do not go with: expected trusted_proxies instead"
            ));
        } else if matches!(listen, Listen::Tcp(_)) && client_ip.trusted_proxies.is_empty() {
            section.refuse(format_args!(
                "{name}.proxy_protocol is required, and taken from trusted_proxies alone: expected some, as in \
                 [\"10.0.0.0/8\"]"
            ));
        }
    }
}
