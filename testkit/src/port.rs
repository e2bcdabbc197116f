//! Loopback ports that nothing else takes while a test stops and restarts a server on them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range that the system hands to outgoing connections, and above the well-known ports.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;

/// An address of loopback with a port that is [`free`].
pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free()).into()
}

/// A port that is free now and was not handed out before in this process.
pub fn free() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    // Another test process begins elsewhere.
    let begin = process::id().wrapping_mul(211) % u32::from(COUNT);
    let begin = u16::try_from(begin).expect("below COUNT");
    (0..COUNT)
        .map(|_| FIRST + (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT)
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("one of 15000 ports is free")
}
