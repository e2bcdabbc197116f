//! What a limit is and how it counts. Nothing here does I/O, reads a clock or waits: state and time go in,
//! state and a decision come out.

pub mod algorithm;
pub(crate) mod banned;
pub(crate) mod calendar;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod decision;
pub(crate) mod key;
pub(crate) mod network;
pub(crate) mod penalty;
pub(crate) mod policy;
pub(crate) mod quota;
pub(crate) mod receipt;
pub(crate) mod scratch;
pub(crate) mod slot;
pub(crate) mod standing;
pub(crate) mod window;
