//! How connections are made.

pub(super) mod socket;
pub(super) mod target;
#[cfg(feature = "tls")]
pub(super) mod tls;
pub(super) mod tls_mismatch;
pub(super) mod url;
pub(super) mod wire;
