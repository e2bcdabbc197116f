//! A Redis Cluster: each node is a server of its own, with its own pool and link, and each request
//! goes to the nodes that hold its keys.
//!
//! redis-rs has a client for clusters, too. But it sends a call again that a lost connection may have
//! charged, fails the replies of all nodes with those of one, and connects to every node again, in the
//! middle of a request, when a slot has moved.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::bounded;
use redis::{ConnectionInfo, FromRedisValue as _};

use self::call::{Call, NoReply, Nodes, Operation};
use self::exchange::exchange;
use self::routed_calls::RoutedCalls;
use self::slots::slot_of;
use self::state::ClusterState;
use super::error::store_error;
use super::node::Shared;
use super::options::RedisOptions;
use super::recovery::debts::{Debts, Settler};
use super::script::overrides::{OverrideCall, OverrideReply};
use super::script::refunded;
use super::script::slots::SlotVerb;
use crate::store::{Acquire, Acquired, Key, Refund, Refunded, Slot, StoreError, StoreErrorKind};

mod call;
mod exchange;
mod map;
mod refresh;
mod routed_calls;
mod routed_request;
pub(super) mod slots;
mod state;

/// A cluster, as the store sees it.
pub(super) struct Cluster {
    state: Arc<ClusterState>,
}

impl Cluster {
    /// Asks once where the slots are, and starts the thread that asks again when they may have moved.
    pub(super) fn start(
        seeds: Vec<ConnectionInfo>,
        options: &RedisOptions,
    ) -> Result<Arc<Self>, StoreError> {
        let (wake, woken) = bounded(1);
        let cluster = Arc::new_cyclic(|cluster: &Weak<Self>| {
            let shared = Shared::new(Debts::settled_by(cluster.clone()));
            Self { state: Arc::new(ClusterState::new(seeds, options.clone(), shared, wake)) }
        });
        refresh::start(&cluster.state, woken)?;
        Ok(cluster)
    }

    /// Where it is, without credentials.
    pub(super) fn address(&self) -> &str {
        &self.state.name
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.state.shared
    }

    /// For how long a node has been down, or no node has been known; `None` if all nodes are up.
    pub(super) fn down_for(&self) -> Option<Duration> {
        self.state.down_for()
    }

    /// The pooled connections that are open, and how many of them are idle.
    #[cfg(feature = "server")]
    pub(super) fn connections(&self) -> (usize, usize) {
        let map = self.state.map();
        let of_nodes = map.members().map(|member| member.node.connections());
        of_nodes.fold((0, 0), |(open, idle), node| (open + node.0, idle + node.1))
    }

    /// Whether every slot has a node, and every node is up.
    pub(super) fn is_up(&self) -> bool {
        self.state.map().is_up()
    }

    /// Whether it has ever said where its slots are.
    pub(super) fn is_known(&self) -> bool {
        self.state.is_known()
    }

    /// Decides `requests`, and returns the answer to each of them.
    pub(super) fn acquire(&self, requests: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        RoutedCalls::of(requests, Nodes::Up).run(&self.state)
    }

    /// Forgets `keys`. If it cannot forget all of them, it forgets the others.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        let mut by_slot: HashMap<u16, Vec<&Key>> = HashMap::new();
        for key in keys {
            by_slot.entry(slot_of(key)).or_default().push(key);
        }
        let calls: Vec<Call<'_>> = by_slot
            .iter()
            .flat_map(|(&slot, keys)| keys.iter().map(move |key| (slot, key)))
            .map(|(slot, key)| Call { slot, operation: Operation::Reset(key) })
            .collect();
        let replies = exchange(&self.state, &calls, Nodes::Up);
        replies.into_iter().try_for_each(|reply| {
            reply.map(drop).map_err(|no_reply| StoreError::new(no_reply.kind()))
        })
    }

    /// Makes `refunds`. If it cannot make all of them, it makes the others.
    pub(super) fn refund(&self, refunds: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>> {
        let calls = refunds.iter().map(|refund| Call {
            slot: slot_of(&refund.charge.key),
            operation: Operation::Refund(refund),
        });
        let calls: Vec<Call<'_>> = calls.collect();
        let replies = exchange(&self.state, &calls, Nodes::Up).into_iter();
        let made = replies.map(|reply| {
            let given = i64::from_redis_value(reply.map_err(|no_reply| no_reply.kind())?);
            given.map(refunded).map_err(|error| store_error(error.into()).kind())
        });
        made.collect()
    }

    /// Gives `slots` back or renews them, and returns for each whether it was held.
    pub(super) fn slots(&self, verb: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError> {
        let calls = slots.iter().map(|slot| Call {
            slot: slot_of(&slot.charge.key),
            operation: Operation::Slots(verb, std::slice::from_ref(slot)),
        });
        let calls: Vec<Call<'_>> = calls.collect();
        let replies = exchange(&self.state, &calls, Nodes::Up).into_iter();
        let held = replies.map(|reply| {
            let reply = reply.map_err(|no_reply| StoreError::new(no_reply.kind()))?;
            let held = Vec::<bool>::from_redis_value(reply);
            Ok(held.map_err(|error| store_error(error.into()))?.contains(&true))
        });
        held.collect()
    }
}

impl Cluster {
    /// Asks about the overrides of operators the node that has them.
    pub(super) fn ask_overrides(&self, call: &OverrideCall) -> Result<OverrideReply, StoreError> {
        let slot = slot_of(&call.keys[0]);
        let calls = [Call { slot, operation: Operation::Overrides(call) }];
        let reply = exchange(&self.state, &calls, Nodes::Up).pop();
        let reply = reply.unwrap_or(Err(NoReply::Store(StoreErrorKind::Refused)));
        let reply = reply.map_err(|no_reply| StoreError::new(no_reply.kind()))?;
        OverrideReply::read(reply).map_err(store_error)
    }
}

impl Settler for Cluster {
    fn settle(&self, debts: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        RoutedCalls::of(debts, Nodes::All).run(&self.state)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("address", &self.state.name).finish_non_exhaustive()
    }
}
