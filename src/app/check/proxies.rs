//! Who may say which address a client has.

use super::finding::Finding;
use super::policies::list;
use crate::app::config::{Config, Listen};
use crate::domain::network::Network;

/// A network of IPv4 or IPv6 addresses with a shorter prefix than this is no list of proxies.
const SHORTEST_IPV4: u8 = 8;
const SHORTEST_IPV6: u8 = 16;

const TRUSTED: &str = "client_ip.trusted_proxies";

pub(super) fn examine(config: &Config, findings: &mut Vec<Finding>) {
    findings.extend(everyone(config));
    findings.extend(reachable(config));
    findings.extend(unread(config));
}

fn everyone(config: &Config) -> Option<Finding> {
    let proxies = &config.client_ip.trusted_proxies;
    let large = proxies.iter().find(|it| is_large(it))?;
    let rest: Vec<_> = proxies.iter().filter(|it| !is_large(it)).map(Network::to_string).collect();
    let rest = if rest.is_empty() { vec!["127.0.0.1".to_owned()] } else { rest };
    Some(Finding {
        code: "proxies-everyone",
        option: TRUSTED.to_owned(),
        reason: format!(
            "{large} holds strangers. Each of them may say which address it has, and gets a fresh quota for each. \
             List your proxies alone."
        ),
        better: format!("{TRUSTED} = {}", list(rest.iter().map(String::as_str))),
    })
}

/// Whether `network` is too large to hold nobody but friends.
pub(super) fn is_large(network: &Network) -> bool {
    let (length, is_ipv4) = network.prefix();
    let shortest = if is_ipv4 { SHORTEST_IPV4 } else { SHORTEST_IPV6 };
    // Private addresses of IPv6 begin with fc00::/7.
    let text = network.to_string();
    length < shortest && !text.starts_with("fc") && !text.starts_with("fd")
}

/// Finds a listener that others than the counted proxies can reach.
fn reachable(config: &Config) -> Option<Finding> {
    let hops = config.client_ip.hops?;
    let Listen::Tcp(address) = &config.server.listen else { return None };
    let is_local = config.server.listen.is_on_this_machine();
    let port = address.rsplit_once(':').map_or("8080", |(_, port)| port);
    (!is_local).then(|| Finding {
        code: "hops-reachable",
        option: "client_ip.hops".to_owned(),
        reason: format!(
            "hops = {hops} believes whoever connects to {address}. A client that gets there past the proxies \
             chooses its own address. Listen where only proxies reach it, or list their addresses."
        ),
        better: format!("server.listen = \"127.0.0.1:{port}\""),
    })
}

fn unread(config: &Config) -> Option<Finding> {
    let client_ip = &config.client_ip;
    client_ip.header.as_ref()?;
    let is_read = client_ip.hops.is_some() || client_ip.trusts_any(&config.server.listen);
    (!is_read).then(|| Finding {
        code: "header-unread",
        option: "client_ip.header".to_owned(),
        reason: "No proxy is trusted, so this field is never read. All clients behind a proxy share one quota."
            .to_owned(),
        better: format!("{TRUSTED} = [\"127.0.0.1\"]"),
    })
}
