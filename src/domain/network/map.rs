//! Networks each with something of its own, of which the smallest holds: a [`NetworkMap`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use super::Network;
use crate::domain::key::{canonical, counted};

/// Networks, each with a `T`. One may lie in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkMap<T> {
    networks: BTreeMap<IpNet, T>,
    /// The prefix lengths of the IPv4 networks and of the IPv6 networks, each once and the longest first.
    lengths: [Vec<u8>; 2],
}

impl<T> Default for NetworkMap<T> {
    fn default() -> Self {
        Self { networks: BTreeMap::new(), lengths: [Vec::new(), Vec::new()] }
    }
}

impl<T> NetworkMap<T> {
    /// Lets `network` have `it`, and returns what it had before.
    pub(crate) fn insert(&mut self, network: Network, it: T) -> Option<T> {
        let Network(network) = network;
        let lengths = &mut self.lengths[usize::from(network.addr().is_ipv6())];
        let length = network.prefix_len();
        if let Err(at) = lengths.binary_search_by(|it| length.cmp(it)) {
            lengths.insert(at, length);
        }
        self.networks.insert(network, it)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// The `T` of the smallest network that holds `address` in any of its forms. The address that its client is counted
    /// by comes first, then its own.
    pub(crate) fn get(&self, address: IpAddr) -> Option<&T> {
        self.get_key_value(address).map(|(_, it)| it)
    }

    /// The same, with the network.
    pub(crate) fn get_key_value(&self, address: IpAddr) -> Option<(Network, &T)> {
        if self.networks.is_empty() {
            return None;
        }
        let (address, counted) = (canonical(address), counted(address));
        let own = (address != counted).then_some(address);
        self.find(counted).or_else(|| self.find(own?))
    }

    fn find(&self, address: IpAddr) -> Option<(Network, &T)> {
        let lengths = &self.lengths[usize::from(address.is_ipv6())];
        let of_length = |length: &u8| IpNet::new(address, *length).ok().map(|it| it.trunc());
        lengths
            .iter()
            .filter_map(of_length)
            .find_map(|network| self.networks.get(&network).map(|it| (Network(network), it)))
    }

    /// The same networks, with what `map` makes of each `T`.
    pub(crate) fn map(&self, map: impl Fn(&T) -> T) -> Self {
        let networks = self.networks.iter().map(|(network, it)| (*network, map(it))).collect();
        Self { networks, lengths: self.lengths.clone() }
    }

    /// All networks, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Network, &T)> {
        self.networks.iter().map(|(network, it)| (Network(*network), it))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_network_that_holds_an_address_is_found() {
        let mut map = NetworkMap::default();
        for text in [
            "10.0.0.0/8",
            "10.1.0.0/16",
            "10.1.2.3",
            "2001:db8::/32",
            "2001:db8:1::/48",
            "::ffff:192.0.2.0/120",
            "2002::/16",
        ] {
            assert_eq!(map.insert(text.parse().unwrap(), text), None);
        }
        for (address, expected) in [
            ("10.1.2.3", Some("10.1.2.3")),
            ("10.1.2.4", Some("10.1.0.0/16")),
            ("10.2.0.0", Some("10.0.0.0/8")),
            ("11.0.0.0", None),
            ("::ffff:10.1.2.3", Some("10.1.2.3")),
            ("64:ff9b::10.1.2.4", Some("10.1.0.0/16")),
            ("192.0.2.7", Some("::ffff:192.0.2.0/120")),
            ("2001:db8:1:2::3", Some("2001:db8:1::/48")),
            ("2001:db8:2::", Some("2001:db8::/32")),
            // By the IPv4 address that its client is counted by, and then by its own.
            ("2002:0a01:0203::1", Some("10.1.2.3")),
            ("2002:cb00:7107::1", Some("2002::/16")),
            ("::1", None),
        ] {
            assert_eq!(map.get(address.parse().unwrap()), expected.as_ref(), "{address}");
        }
        // The same network, written otherwise.
        assert_eq!(map.insert("::ffff:10.1.2.3".parse().unwrap(), "new"), Some("10.1.2.3"));
    }
}
