//! What happens when a server is back: probes find it, and it is charged with what it is owed.

pub(super) mod attend;
pub(super) mod debts;
pub(super) mod probe;
mod settlement;
