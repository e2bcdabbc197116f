//! What a URL leads to: one server, sentinels, or a cluster.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, RedisConnectionInfo};

/// The servers that a URL names, and the settings of connections to them.
#[derive(Clone, Debug)]
pub(crate) enum Topology {
    Server(ConnectionInfo),
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        /// What the sentinels call the primary.
        name: String,
        /// The settings of connections to the primary.
        primary: RedisConnectionInfo,
    },
    Cluster {
        /// Some of the nodes. They know the others.
        nodes: Vec<ConnectionInfo>,
    },
}

/// Whether `info` says to connect by TLS.
pub(crate) fn is_tls(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}

/// `info` with another address.
pub(crate) fn with_address(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = if is_tls(info) {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    info.clone().set_addr(address)
}

/// Prints the hosts and ports with commas between them.
pub(crate) struct HostList<'a>(pub(crate) &'a [ConnectionInfo]);

impl fmt::Display for HostList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, info) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            match info.addr() {
                ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }
                    if host.contains(':') =>
                {
                    write!(f, "{comma}[{host}]:{port}")?;
                }
                address => write!(f, "{comma}{address}")?,
            }
        }
        Ok(())
    }
}
