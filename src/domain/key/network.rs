use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The prefix length of the IPv6 networks that count as one client each. The default is 64, since providers
/// give each customer a /64 or a larger network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv6Prefix(u8);

impl Ipv6Prefix {
    /// A prefix of `length` bits; `None` unless that is 1 to 128.
    #[must_use]
    pub const fn new(length: u8) -> Option<Self> {
        match length {
            1..=128 => Some(Self(length)),
            _ => None,
        }
    }

    /// Its length in bits.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.0
    }
}

impl Default for Ipv6Prefix {
    fn default() -> Self {
        Self(64)
    }
}

/// An IPv6 network that counts as one client, as in `2001:db8:0:1::/64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv6Network {
    first: Ipv6Addr,
    prefix: Ipv6Prefix,
}

impl Ipv6Network {
    /// The network of this size that holds `address`.
    #[must_use]
    pub fn of(address: Ipv6Addr, prefix: Ipv6Prefix) -> Self {
        let mask = u128::MAX << (128 - u32::from(prefix.0));
        Self { first: Ipv6Addr::from_bits(address.to_bits() & mask), prefix }
    }

    /// Reads a network such as `2001:db8::/64`; `None` if `text` is not one.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        Some(Self::of(address.parse().ok()?, Ipv6Prefix::new(length.parse().ok()?)?))
    }

    /// Its first address.
    pub(crate) fn first(self) -> Ipv6Addr {
        self.first
    }

    /// The size of the network.
    pub(crate) fn prefix(self) -> Ipv6Prefix {
        self.prefix
    }

    /// The wider network of `prefix` that holds it; `None` if it is as wide itself.
    pub(crate) fn widened(self, prefix: Ipv6Prefix) -> Option<Self> {
        (prefix < self.prefix).then(|| Self::of(self.first, prefix))
    }

    /// The network that the client at `address` is counted by: one of this size, or the whole prefix of
    /// local translators (RFC 8215), since such an address does not show which IPv4 client uses it.
    pub(super) fn of_client(address: Ipv6Addr, prefix: Ipv6Prefix) -> Self {
        match address.segments() {
            [0x64, 0xff9b, 1, ..] => Self::of(address, prefix.min(Ipv6Prefix(48))),
            _ => Self::of(address, prefix),
        }
    }
}

impl fmt::Display for Ipv6Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix.0)
    }
}

/// The address with IPv4 clients always as IPv4: also those that a socket of both families
/// (`::ffff:0:0/96`) or a translator (NAT64, `64:ff9b::/96`) shows as IPv6.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => joined(high, low).into(),
            _ => v6.into(),
        },
        v4 => v4,
    }
}

/// The address that a client is counted by: the canonical one, or the IPv4 address whose holder alone
/// receives what is sent to the IPv6 address.
///
/// A translator's own prefix shows where the IPv4 address is only if it is 96 bits long. Interface
/// identifiers with an IPv4 address (ISATAP) are not read, since the holder of the network can choose them.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(v6) => match v6.segments() {
            // NAT64 by a local translator (RFC 8215).
            [0x64, 0xff9b, 1, _, 0, 0, high, low] => joined(high, low).into(),
            // 6to4 (RFC 3056): the holder of the IPv4 address has all 65,536 networks of this prefix.
            [0x2002, high, low, ..] => joined(high, low).into(),
            // Teredo (RFC 4380): the client chooses its server and its port. The address is inverted.
            [0x2001, 0, .., high, low] => joined(!high, !low).into(),
            _ => v6.into(),
        },
        v4 => v4,
    }
}

/// The IPv4 network, with its prefix length, whose clients have exactly the addresses of the IPv6 network
/// that begins at `first` with a prefix of `length` bits. `None` if that network has no IPv4 clients, a
/// part of one, or all of a kind.
pub(crate) fn counted_network(first: Ipv6Addr, length: u8) -> Option<(Ipv4Addr, u8)> {
    match (first.segments(), length) {
        ([0x64, 0xff9b, 1, _, 0, 0, high, low], 97..) => Some((joined(high, low), length - 96)),
        ([0x2002, high, low, ..], 17..=48) => Some((joined(high, low), length - 16)),
        _ => None,
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}
