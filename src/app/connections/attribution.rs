//! Connections whose proxy says where its client connects from, by the PROXY protocol.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::Ordering;

use super::limit::Limit;
use super::registration::Registration;
use super::registry::Connections;

impl Connections {
    /// Counts a connection of `peer` that is closed at once, because `peer` is not trusted to say whose it is.
    pub(crate) fn refuse_stranger(&self, peer: Option<IpAddr>) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let who = shown(peer);
        self.refuse(format_args!("{who} is not in client_ip.trusted_proxies"));
    }

    /// Counts one more connection by `address`.
    ///
    /// # Errors
    /// If that has as many as it may have.
    pub(super) fn add_to(&self, address: Option<IpAddr>) -> Result<(), Limit> {
        let mut table = self.table();
        if !self.has_fewer(&table, address) {
            drop(table);
            self.act(Limit::MaxConnectionsPerIp, self.capacity.per_address.unwrap_or_default());
            return Err(Limit::MaxConnectionsPerIp);
        }
        if let Some(address) = address {
            *table.of_address.entry(address).or_default() += 1;
        }
        Ok(())
    }

    fn refuse(&self, why: fmt::Arguments<'_>) {
        let limit = Limit::ProxyProtocol;
        self.count(limit);
        if self.may_log() {
            let (listener, times) = (self.listener(), self.acted(limit));
            log::warn!(
                "A connection was closed because {listener}.proxy_protocol is required: {why}. Closed for \
                 that since the start: {times}."
            );
        }
    }
}

impl Registration {
    /// Counts it by the address of its client from now on. Before, it was counted by none.
    ///
    /// # Errors
    /// If that address has as many connections as it may have.
    pub(crate) fn count_by(&mut self, client: IpAddr) -> Result<(), Limit> {
        let connections = self.connections().clone();
        let address = connections.counted_address(Some(client));
        connections.add_to(address)?;
        self.set_address(address);
        Ok(())
    }

    /// Counts that the proxy at `peer` sent no header that says whose it is, because of `error`.
    pub(crate) fn refuse_header(&self, peer: Option<IpAddr>, error: &impl fmt::Display) {
        let who = shown(peer);
        self.connections().refuse(format_args!("the header of {who} cannot be read, as {error}"));
    }
}

/// The peer, in words.
fn shown(peer: Option<IpAddr>) -> String {
    peer.map_or_else(|| "the peer of the Unix socket".to_owned(), |address| address.to_string())
}
