//! What happens when a server is back: it is found by probes, and charged with what it is owed.

pub(super) mod attend;
pub(super) mod debts;
pub(super) mod probe;
