//! The open connections of a listener: how many there may be, whose they are, and the order to end one.

pub(crate) use self::limit::Limit;
pub(crate) use self::registration::{Order, Registration};
pub(crate) use self::registry::{Connections, Most, SPARE, Stage};

mod limit;
mod registration;
mod registry;
