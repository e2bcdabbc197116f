//! The map from slots to the nodes that hold them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::slots::{NodeAddress, Range, SLOTS};
use crate::store::redis::node::Node;

/// A node that holds slots.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) address: NodeAddress,
    pub(super) node: Node,
    /// The slot of the keys that its probe charges: one of its own when it was found.
    pub(super) probed: u16,
}

/// The members of a cluster, by address and by slot.
#[derive(Default)]
pub(super) struct Map {
    members: HashMap<NodeAddress, Arc<Member>>,
    owners: Vec<Option<Arc<Member>>>,
    /// Whether every slot has a node.
    is_whole: bool,
}

impl Map {
    pub(super) fn new(members: HashMap<NodeAddress, Arc<Member>>, ranges: &[Range]) -> Self {
        let mut owners = vec![None; SLOTS];
        for range in ranges {
            owners[range.slots()].fill(members.get(&range.address).cloned());
        }
        let is_whole = owners.iter().all(Option::is_some);
        Self { members, owners, is_whole }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether every slot has a node, and every node is up.
    pub(super) fn is_up(&self) -> bool {
        self.is_whole && self.members.values().all(|member| member.node.is_up())
    }

    pub(super) fn owner(&self, slot: u16) -> Option<&Arc<Member>> {
        self.owners.get(usize::from(slot))?.as_ref()
    }

    pub(super) fn at(&self, address: &NodeAddress) -> Option<&Arc<Member>> {
        self.members.get(address)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.members.values()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("members", &self.members).finish_non_exhaustive()
    }
}
