//! What is asked of the nodes of a cluster, and of which.

use redis::Cmd;

use super::super::script::{self, Refund, Sent};
use crate::domain::clock::Millis;
use crate::store::redis::script::batch::Batch;
use crate::store::{Key, StoreErrorKind};

/// What is asked of the node that holds `slot`.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) slot: u16,
    pub(super) what: What<'a>,
}

#[derive(Debug)]
pub(super) enum What<'a> {
    Acquire(&'a Batch),
    Refund(&'a Refund),
    Reset(&'a Key),
}

impl What<'_> {
    pub(super) fn command(&self, now: Option<Millis>, sent: Sent) -> Cmd {
        match self {
            Self::Acquire(batch) => script::acquire(batch, now, sent),
            Self::Refund(refund) => script::refund(refund, sent),
            Self::Reset(key) => {
                let mut command = redis::cmd("UNLINK");
                command.arg(key.as_str());
                command
            }
        }
    }
}

/// Why a call has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Store(StoreErrorKind),
    /// Its slot is moving, and its keys are not all on the same node yet. It was not run.
    Scattered,
}

impl Failure {
    pub(super) fn kind(self) -> StoreErrorKind {
        match self {
            Self::Store(kind) => kind,
            Self::Scattered => StoreErrorKind::Declined,
        }
    }
}

/// Which nodes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    /// Those that are not known to be down.
    Up,
    /// Those as well: they may be back.
    All,
}
