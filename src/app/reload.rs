//! Takes a changed configuration into force while the process serves.
//!
//! A thread of its own reads the configuration again when a file of it changes, and when a signal or an operator
//! asks for that. Where everything is right, it assembles a new snapshot and puts it in force. Where anything is
//! wrong, nothing changes. Counters are in the stores, which live as long as the process.

pub(crate) use self::differences::{Difference, Effect, differences};
pub(crate) use self::reloader::{ReloadReport, Reloader};
pub(crate) use self::status::{Refused, ReloadStatus};

mod differences;
mod digests;
mod file_watch;
mod reloader;
mod said;
mod status;
