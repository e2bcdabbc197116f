//! The servers of a store: one server, or the nodes of a cluster.

use std::sync::Arc;
use std::time::Instant;

use super::cluster::Cluster;
use super::connect::connector::Connector;
use super::connect::target::Target;
use super::connect::url::topology::{HostList, Topology};
use super::error::store_error;
use super::health::status::{RedisStatus, Tally};
use super::node::{Node, Shared};
use super::options::RedisOptions;
use super::recovery::debts::Debts;
use super::script::overrides::{OverrideCall, OverrideReply};
use super::script::slots::SlotVerb;
use super::script::split;
use crate::store::{Acquire, Acquired, Key, Refund, Refunded, Slot, StoreError, StoreErrorKind};

/// What a dispatcher asks of the servers.
pub(super) trait Calls {
    /// Decides `requests`, and returns the answers in the same order.
    fn acquire(&self, requests: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>>;

    /// Forgets `keys`.
    fn reset(&self, keys: &[Key]) -> Result<(), StoreError>;

    /// Makes `refunds`, and returns what came of them in the same order.
    fn refund(&self, refunds: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>>;

    /// Gives `slots` back or renews them, and returns for each whether it was held.
    fn slots(&self, verb: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError>;

    /// Asks about the overrides of operators.
    fn ask_overrides(&self, call: &OverrideCall) -> Result<OverrideReply, StoreError>;
}

/// All servers of one store.
#[derive(Debug)]
pub(super) enum Servers {
    One { node: Node, shared: Shared },
    Cluster(Arc<Cluster>),
}

impl Servers {
    pub(super) fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let url = options.parse_url()?;
        let (address, target) = match url.topology() {
            Topology::Server(info) => {
                (info.addr().to_string(), Target::server(info.clone(), &options.connect))
            }
            Topology::Sentinel { sentinels, name, primary } => {
                let address = format!("{name} (by the sentinels {})", HostList(sentinels));
                (address, Target::primary(sentinels, name, primary, &options.connect))
            }
            Topology::Cluster { nodes } => {
                return Ok(Self::Cluster(Cluster::start(nodes.clone(), options)?));
            }
        };
        let connector = Connector::new(target.map_err(store_error)?, &options.connect);
        let shared = Shared::new(Debts::default());
        Ok(Self::One { node: Node::start(address, connector, options, &shared)?, shared })
    }

    pub(super) fn debts(&self) -> &Debts {
        &self.shared().debts
    }

    pub(super) fn tally(&self) -> &Arc<Tally> {
        &self.shared().tally
    }

    /// The status of the store. A cluster is down for as long as the node that has been for longest.
    pub(super) fn status(&self) -> RedisStatus {
        let down_for = match self {
            Self::One { node, .. } => node.link().down_for(),
            Self::Cluster(cluster) => cluster.down_for(),
        };
        self.tally().status(down_for)
    }

    /// The pooled connections that are open, and how many of them are idle.
    #[cfg(feature = "server")]
    pub(super) fn connections(&self) -> (usize, usize) {
        match self {
            Self::One { node, .. } => node.connections(),
            Self::Cluster(cluster) => cluster.connections(),
        }
    }

    /// Where they are, without credentials.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::One { node, .. } => node.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
    }

    /// Whether the keys of a request may be on several servers.
    pub(super) fn are_many(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// The server, if there is only one.
    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(super) fn only(&self) -> Option<&Node> {
        match self {
            Self::One { node, .. } => Some(node),
            Self::Cluster(_) => None,
        }
    }

    /// Whether all of them are up.
    pub(super) fn are_up(&self) -> bool {
        match self {
            Self::One { node, .. } => node.is_up(),
            Self::Cluster(cluster) => cluster.is_up(),
        }
    }

    /// Whether any of them may answer. If not, no request needs to wait.
    pub(super) fn may_answer(&self) -> bool {
        match self {
            Self::One { node, .. } => node.is_up(),
            Self::Cluster(cluster) => cluster.is_known(),
        }
    }

    fn shared(&self) -> &Shared {
        match self {
            Self::One { shared, .. } => shared,
            Self::Cluster(cluster) => cluster.shared(),
        }
    }
}

impl Calls for Servers {
    fn acquire(&self, requests: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        let calls = &self.tally().calls;
        calls.requests.observe(requests.len() as u64);
        let begun = Instant::now();
        let answers = match self {
            Self::One { node, .. } => {
                split::ask(requests, node.timeout(), |batch| node.acquire(batch))
            }
            Self::Cluster(cluster) => cluster.acquire(requests),
        };
        calls.times.observe_time(begun.elapsed());
        answers
    }

    fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        match self {
            Self::One { node, .. } => node.reset(keys),
            Self::Cluster(cluster) => cluster.reset(keys),
        }
    }

    fn refund(&self, refunds: &[Refund]) -> Vec<Result<Refunded, StoreErrorKind>> {
        match self {
            Self::One { node, .. } => node.refund(refunds),
            Self::Cluster(cluster) => cluster.refund(refunds),
        }
    }

    fn slots(&self, verb: SlotVerb, slots: &[Slot]) -> Result<Vec<bool>, StoreError> {
        match self {
            Self::One { node, .. } => node.slots(verb, slots),
            Self::Cluster(cluster) => cluster.slots(verb, slots),
        }
    }

    fn ask_overrides(&self, call: &OverrideCall) -> Result<OverrideReply, StoreError> {
        match self {
            Self::One { node, .. } => node.ask_overrides(call),
            Self::Cluster(cluster) => cluster.ask_overrides(call),
        }
    }
}
