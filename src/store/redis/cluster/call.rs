//! Calls to the nodes of a cluster.

use redis::Cmd;

use crate::domain::clock::Millis;
use crate::store::redis::script::batch::Batch;
use crate::store::redis::script::overrides::OverrideCall;
use crate::store::redis::script::slots::SlotVerb;
use crate::store::redis::script::{self, Sent};
use crate::store::{Key, Refund, Slot, StoreErrorKind};

/// A call to the node that holds `slot`.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) slot: u16,
    pub(super) operation: Operation<'a>,
}

/// What a node is asked to do.
#[derive(Debug)]
pub(super) enum Operation<'a> {
    Acquire(&'a Batch),
    Refund(&'a Refund),
    Slots(SlotVerb, &'a [Slot]),
    Reset(&'a Key),
    Overrides(&'a OverrideCall),
}

impl Operation<'_> {
    pub(super) fn command(&self, now: Option<Millis>, sent: Sent) -> Cmd {
        match self {
            Self::Acquire(batch) => script::acquire(batch, now, sent),
            Self::Refund(refund) => script::refund(refund, now, sent),
            Self::Slots(verb, slots) => script::slots::call(*verb, slots, now, sent),
            Self::Reset(key) => script::reset([*key]),
            Self::Overrides(call) => call.command(sent),
        }
    }
}

/// Why a call has no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoReply {
    Store(StoreErrorKind),
    /// Its slot is moving, and its keys are not all on the same node yet. It was not run.
    Scattered,
}

impl NoReply {
    pub(super) fn kind(self) -> StoreErrorKind {
        match self {
            Self::Store(kind) => kind,
            Self::Scattered => StoreErrorKind::Declined,
        }
    }
}

/// Which nodes are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nodes {
    /// Those that are up.
    Up,
    /// Those that are down as well, because they may be back.
    All,
}
