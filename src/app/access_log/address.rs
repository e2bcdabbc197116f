//! Reads the address of a client out of a field of a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address in `text`, which may have a port after it, and brackets around IPv6.
pub(super) fn read(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let address = match text.strip_prefix('[') {
        Some(rest) => IpAddr::V6(read_v6(rest.split_once(']')?.0)?),
        None => match text.split_once(':') {
            None => IpAddr::V4(text.parse().ok()?),
            // An IPv6 address has more than one colon.
            Some((address, port)) if !port.contains(':') => {
                IpAddr::V4(address.parse::<Ipv4Addr>().ok()?)
            }
            Some(_) => IpAddr::V6(read_v6(text)?),
        },
    };
    Some(address.to_canonical())
}

/// The last address of a list that commas separate.
pub(super) fn read_last(list: &[u8]) -> Option<IpAddr> {
    let last = list.rsplit(|byte| *byte == b',').next()?;
    read(last.trim_ascii())
}

/// The address in `text`, without the zone that link-local ones have, as in `fe80::1%eth0`.
fn read_v6(text: &str) -> Option<Ipv6Addr> {
    text.split('%').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
