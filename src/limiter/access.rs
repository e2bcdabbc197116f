//! Who is refused and who passes unchecked, whatever any policy says.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::client::Client;

/// What the lists of a limiter say of a client, before any policy is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is on neither list: its policies decide.
    Limited,
    /// It passes unchecked and uncounted.
    Allowed,
    /// It is refused.
    Blocked,
}

/// One or many clients on a list: a network, an address, or a user.
///
/// `10.0.0.0/8`, `2001:db8::/32`, `203.0.113.7` or `user:1042`. An IPv4 address that is written as
/// IPv6 (`::ffff:203.0.113.7`) is the IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntry(Entry);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Network(IpNet),
    User(Box<[u8]>),
}

/// Clients, found in logarithmic time among networks and in constant time among users.
#[derive(Debug, Default)]
pub(super) struct AccessList {
    /// Sorted, without overlaps.
    v4: Vec<Ipv4Net>,
    v6: Vec<Ipv6Net>,
    users: HashSet<Box<[u8]>>,
}

impl AccessList {
    pub(super) fn new(entries: impl IntoIterator<Item = AccessEntry>) -> Self {
        let mut list = Self::default();
        for AccessEntry(entry) in entries {
            match entry {
                Entry::Network(IpNet::V4(network)) => list.v4.push(network),
                Entry::Network(IpNet::V6(network)) => list.v6.push(network),
                Entry::User(id) => drop(list.users.insert(id)),
            }
        }
        list.v4 = Ipv4Net::aggregate(&list.v4);
        list.v6 = Ipv6Net::aggregate(&list.v6);
        list.v4.sort_unstable();
        list.v6.sort_unstable();
        list
    }

    pub(super) fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty() && self.users.is_empty()
    }

    /// Whether the user or the address of `client` is on the list.
    pub(super) fn has(&self, client: &Client<'_>) -> bool {
        client.user_id().is_some_and(|id| self.users.contains(id))
            || client.address().is_some_and(|address| match address.to_canonical() {
                IpAddr::V4(address) => self.has_v4(address),
                IpAddr::V6(address) => self.has_v6(address),
            })
    }

    fn has_v4(&self, address: Ipv4Addr) -> bool {
        let after = self.v4.partition_point(|network| network.network() <= address);
        self.v4[..after].last().is_some_and(|network| network.contains(&address))
    }

    fn has_v6(&self, address: Ipv6Addr) -> bool {
        let after = self.v6.partition_point(|network| network.network() <= address);
        self.v6[..after].last().is_some_and(|network| network.contains(&address))
    }
}

impl FromStr for AccessEntry {
    type Err = AccessEntryError;

    fn from_str(text: &str) -> Result<Self, AccessEntryError> {
        parse(text)
            .map(Self)
            .map_err(|problem| AccessEntryError { input: text.to_owned(), problem })
    }
}

fn parse(text: &str) -> Result<Entry, Problem> {
    if let Some(id) = text.strip_prefix("user:") {
        return if id.is_empty() {
            Err(Problem::NoUser)
        } else {
            Ok(Entry::User(id.as_bytes().into()))
        };
    }
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().map_err(|_| Problem::NoEntry)?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| Problem::Prefix { longest })?
        }
        Some(_) => return Err(Problem::Prefix { longest }),
        None => longest,
    };
    let network = IpNet::new(address, prefix).map_err(|_| Problem::Prefix { longest })?;
    let network = canonical(network);
    if network != network.trunc() {
        return Err(Problem::HostBits { network: network.trunc() });
    }
    Ok(Entry::Network(network))
}

/// A network of IPv4 addresses that are written as IPv6, as IPv4.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(MAPPED)) {
        (IpAddr::V4(address), Some(prefix)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, prefix).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

/// A text that is not an [`AccessEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntryError {
    input: String,
    problem: Problem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Problem {
    NoEntry,
    NoUser,
    Prefix { longest: u8 },
    HostBits { network: IpNet },
}

impl fmt::Display for AccessEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = &self.input;
        match self.problem {
            Problem::NoEntry => write!(
                f,
                "{input:?} is neither a network nor a user: expected one like 10.0.0.0/8, 2001:db8::/32, 203.0.113.7 or user:1042"
            ),
            Problem::NoUser => write!(f, "{input:?} names no user: expected one like user:1042"),
            Problem::Prefix { longest } => write!(
                f,
                "{input:?} is not a network: expected a number from 0 to {longest} after its '/'"
            ),
            Problem::HostBits { network } => write!(
                f,
                "{input:?} has an address that its prefix cuts off: expected {network}, or the address alone"
            ),
        }
    }
}

impl std::error::Error for AccessEntryError {}

#[cfg(test)]
mod tests;
