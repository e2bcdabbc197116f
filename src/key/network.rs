use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The length of the IPv6 networks that count as one client each: 64 unless set, since providers hand
/// a customer a /64 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ipv6Prefix(u8);

impl Ipv6Prefix {
    /// A prefix of `length` bits; none where that is not 1 to 128.
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
    /// The network of this size that `address` is in.
    #[must_use]
    pub fn of(address: Ipv6Addr, prefix: Ipv6Prefix) -> Self {
        let mask = u128::MAX << (128 - u32::from(prefix.0));
        Self { first: Ipv6Addr::from_bits(address.to_bits() & mask), prefix }
    }
}

impl fmt::Display for Ipv6Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix.0)
    }
}

/// The same address in the one spelling that everything is compared and counted in: an IPv4 address
/// also where IPv6 carries it, as a socket of both families does (`::ffff:0:0/96`) and a translator
/// between them (NAT64, `64:ff9b::/96`).
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        other => other,
    }
}
