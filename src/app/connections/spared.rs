//! Clients whose connections are not counted by address.

use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;

/// Says whose connections are not counted by address. It says nobody's until it is told.
#[derive(Default)]
pub(super) struct Spared(OnceLock<Box<dyn Fn(IpAddr) -> bool + Send + Sync>>);

impl Spared {
    pub(super) fn has(&self, address: IpAddr) -> bool {
        self.0.get().is_some_and(|is_spared| is_spared(address))
    }

    /// Tells whose are not counted. What was told first holds.
    pub(super) fn tell(&self, is_spared: Box<dyn Fn(IpAddr) -> bool + Send + Sync>) {
        // It is told once, when the app is assembled.
        let _ = self.0.set(is_spared);
    }
}

impl fmt::Debug for Spared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spared").field(&self.0.get().is_some()).finish()
    }
}
