//! The TCP addresses of a listener.

use std::io;
use std::net::{TcpListener, ToSocketAddrs as _};

/// Binds the addresses that `address` resolves to, except those that cannot be bound.
///
/// # Errors
/// When none can be bound.
pub(super) fn bind(address: &str) -> io::Result<Vec<TcpListener>> {
    let mut refused = None;
    let mut bound = Vec::new();
    for address in address.to_socket_addrs()? {
        match TcpListener::bind(address) {
            Ok(listener) => bound.push(listener),
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if bound.is_empty() => Err(error),
        _ => Ok(bound),
    }
}
