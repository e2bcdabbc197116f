//! The networks that trusted proxies are in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::warnings::Silence;
use crate::key::canonical;

/// The address or the network of a trusted proxy, as in `203.0.113.7`, `10.0.0.0/8` or `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = TrustedProxyError;

    fn from_str(text: &str) -> Result<Self, TrustedProxyError> {
        let not_a_network = || TrustedProxyError::NotANetwork(text.to_owned());
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| not_a_network())?;
        let network = match length {
            Some(length) => length.parse().ok().and_then(|length| IpNet::new(address, length).ok()),
            None => Some(address.into()),
        };
        let network = network.ok_or_else(not_a_network)?;
        if network.trunc() != network {
            let network = Self(network.trunc());
            return Err(TrustedProxyError::BitsBeyondThePrefix { address, network });
        }
        Ok(Self(as_compared(network)))
    }
}

/// The same network in the spelling that addresses are compared in.
fn as_compared(network: IpNet) -> IpNet {
    let canonical = canonical(network.addr());
    match network.prefix_len().checked_sub(96) {
        Some(length) if canonical.is_ipv4() && network.addr().is_ipv6() => {
            IpNet::new(canonical, length).unwrap_or(network)
        }
        _ => network,
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustedProxyError {
    /// It is no address, or has no prefix length that fits.
    NotANetwork(String),
    /// An address with a prefix length, where either may be a mistake.
    BitsBeyondThePrefix {
        /// The address.
        address: IpAddr,
        /// The network of that length that it is in.
        network: TrustedProxy,
    },
}

impl fmt::Display for TrustedProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotANetwork(text) => write!(
                f,
                "{text:?} is not a network: expected one as in 203.0.113.7, 10.0.0.0/8 or fd00::/8"
            ),
            Self::BitsBeyondThePrefix { address, network } => write!(
                f,
                "{address} is an address in the network {network}: expected one or the other"
            ),
        }
    }
}

impl std::error::Error for TrustedProxyError {}

/// Networks that do not touch, in order, each with its silence.
#[derive(Debug)]
pub(super) struct Proxies(Box<[(IpNet, Silence)]>);

impl Proxies {
    pub(super) fn new(proxies: impl IntoIterator<Item = TrustedProxy>) -> Self {
        let networks = proxies.into_iter().map(|TrustedProxy(network)| network).collect();
        let disjoint = IpNet::aggregate(&networks).into_iter();
        Self(disjoint.map(|network| (network, Silence::default())).collect())
    }

    /// Whether `address`, in canonical form, is in one of them.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        self.silence_of(address).is_some()
    }

    /// The silence of the network that `address` is in.
    pub(super) fn silence_of(&self, address: IpAddr) -> Option<&Silence> {
        let after = self.0.partition_point(|(network, _)| network.addr() <= address);
        let (network, silence) = self.0[..after].last()?;
        network.contains(&address).then_some(silence)
    }

    /// One that every address of its family is in, if there is one.
    pub(super) fn everyone(&self) -> Option<IpNet> {
        self.0.iter().map(|(network, _)| *network).find(|network| network.prefix_len() == 0)
    }
}

#[cfg(test)]
mod tests;
