//! What a limit is and how it counts, without I/O, clocks or waiting: state and time in, state and
//! decision out.

pub(crate) mod algorithm;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod decision;
pub(crate) mod key;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod quota;
pub(crate) mod scratch;
