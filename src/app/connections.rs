//! The open connections of a listener: how many there may be, whose they are, and which one closes to
//! make room for another.

pub(crate) use self::limit::Limit;
pub(crate) use self::listeners::Listeners;
pub(crate) use self::registration::{Directive, Registration};
pub(crate) use self::registry::{Capacity, Connections, SPARE, Stage};

mod acted;
mod attribution;
mod entry;
mod handshakes;
mod limit;
mod listeners;
mod registration;
mod registry;
mod spared;
