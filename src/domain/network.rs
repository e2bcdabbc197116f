//! Networks as configurations list them: a [`Network`], and [`Networks`] to find an address in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

pub(crate) use self::map::NetworkMap;
use crate::domain::key::{Identity, canonical, counted, counted_network};

mod map;

/// An address or a network, as in `203.0.113.7`, `10.0.0.0/8` or `fd00::/8`.
///
/// IPv6 networks that stand for IPv4 are read as IPv4: `::ffff:10.0.0.0/104` is `10.0.0.0/8`, and
/// `2002:cb00:7107::/48`, the 6to4 network of one IPv4 address, is `203.0.113.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr =
            address.parse().map_err(|_| NetworkError::NoAddress(text.to_owned()))?;
        let network = match length {
            Some(length) => of_length(address, length).ok_or_else(|| NetworkError::Length {
                text: text.to_owned(),
                longest: IpNet::from(address).prefix_len(),
            })?,
            None => address.into(),
        };
        if network.trunc() != network {
            let network = Self(as_compared(network.trunc()));
            return Err(NetworkError::BitsBeyondThePrefix { address, network });
        }
        Ok(Self(as_compared(network)))
    }
}

fn of_length(address: IpAddr, length: &str) -> Option<IpNet> {
    // `parse` would accept a sign as well.
    let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| IpNet::new(address, length.parse().ok()?).ok()).flatten()
}

/// The same network in the form in which addresses are compared: IPv6 that stands for IPv4 becomes IPv4.
fn as_compared(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let (first, length) = (v6.network(), v6.prefix_len());
    let ipv4 = match canonical(first.into()) {
        IpAddr::V4(address) => length.checked_sub(96).map(|length| (address, length)),
        IpAddr::V6(_) => counted_network(first, length),
    };
    ipv4.and_then(|(address, length)| IpNet::new(address.into(), length).ok()).unwrap_or(network)
}

impl Network {
    /// The bits that all its addresses share, and whether they are IPv4 addresses.
    #[cfg(feature = "server")]
    pub(crate) fn prefix(&self) -> (u8, bool) {
        (self.0.prefix_len(), matches!(self.0, IpNet::V4(_)))
    }

    /// Whether it holds an address of the client of this identity.
    pub(crate) fn holds(&self, identity: &Identity<'_>) -> bool {
        match identity {
            Identity::Ipv4(address) => self.0.contains(&IpAddr::from(*address)),
            Identity::Ipv6(network) => {
                let client = IpNet::new(network.first().into(), network.prefix().length());
                client.is_ok_and(|client| self.0.contains(&client) || client.contains(&self.0))
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a [`Network`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetworkError {
    /// It is not an address, and does not begin with one.
    NoAddress(String),
    /// Its prefix length is out of range.
    Length {
        /// The text.
        text: String,
        /// The longest prefix of such an address.
        longest: u8,
    },
    /// An address with a prefix length that does not cover all its bits: one of the two is a mistake.
    BitsBeyondThePrefix {
        /// The address.
        address: IpAddr,
        /// The network of that length that holds it.
        network: Network,
    },
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(text) => write!(
                f,
                "{text:?} is not a network: expected one as in 203.0.113.7, 10.0.0.0/8 or fd00::/8"
            ),
            Self::Length { text, longest } => write!(
                f,
                "{text:?} is not a network: expected a number from 0 to {longest} after its '/'"
            ),
            Self::BitsBeyondThePrefix { address, network } => write!(
                f,
                "{address} is an address in the network {network}: expected one or the other"
            ),
        }
    }
}

impl std::error::Error for NetworkError {}

/// Disjoint networks in order, each with a `T`. A few comparisons find an address in thousands of them.
#[derive(Debug, Default)]
pub(crate) struct Networks<T = ()>(Box<[(IpNet, T)]>);

impl<T: Default> FromIterator<Network> for Networks<T> {
    fn from_iter<N: IntoIterator<Item = Network>>(networks: N) -> Self {
        let networks = networks.into_iter().map(|Network(network)| network).collect();
        let disjoint = IpNet::aggregate(&networks).into_iter();
        Self(disjoint.map(|network| (network, T::default())).collect())
    }
}

impl<T> Networks<T> {
    /// The `T` of the network that holds `address` in any of its forms. The address that its client is
    /// counted by comes first, then its own.
    pub(crate) fn get(&self, address: IpAddr) -> Option<&T> {
        let (address, counted) = (canonical(address), counted(address));
        let own = (address != counted).then_some(address);
        self.find(counted).or_else(|| self.find(own?))
    }

    fn find(&self, address: IpAddr) -> Option<&T> {
        let after = self.0.partition_point(|(network, _)| network.addr() <= address);
        let (network, kept) = self.0[..after].last()?;
        network.contains(&address).then_some(kept)
    }

    /// Whether one of them holds `address` in any of its forms.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.get(address).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A network that holds every address of its family, if there is one.
    #[cfg(any(feature = "actix", feature = "tower"))] // which read the addresses that proxies send
    pub(crate) fn everyone(&self) -> Option<Network> {
        self.0.iter().map(|(network, _)| Network(*network)).find(|it| it.0.prefix_len() == 0)
    }
}

#[cfg(test)]
mod tests;
