//! All that keep the state: one server, or the nodes of a cluster.

use std::sync::Arc;

use scheduled_thread_pool::ScheduledThreadPool;

use super::cluster::Cluster;
use super::connect::target::Target;
use super::connect::url::{Places, Topology};
use super::dispatch::Calls;
use super::error::store_error;
use super::health::status::{RedisStatus, Tally};
use super::node::Node;
use super::node::pool::Connector;
use super::options::RedisOptions;
use super::recovery::debts::Accounts;
use super::script::split;
use crate::store::{Acquire, Acquired, Key, StoreError, StoreErrorKind};

/// Threads that make connections, whatever the number of nodes.
const MAKERS: usize = 3;

#[derive(Debug)]
pub(super) enum Servers {
    One(Node),
    Cluster(Arc<Cluster>),
}

impl Servers {
    pub(super) fn start(options: &RedisOptions) -> Result<Self, StoreError> {
        let url = options.parse_url()?;
        let makers = Arc::new(
            ScheduledThreadPool::builder()
                .num_threads(MAKERS)
                .thread_name_pattern("r2d2-worker-{}")
                .build(),
        );
        let (address, target) = match url.topology() {
            Topology::Server(info) => {
                (info.addr().to_string(), Target::server(info.clone(), options))
            }
            Topology::Sentinel { sentinels, name, primary } => {
                let address = format!("{name} (by the sentinels {})", Places(sentinels));
                (address, Target::primary(sentinels, name, primary, options))
            }
            Topology::Cluster { nodes } => {
                return Ok(Self::Cluster(Cluster::start(nodes.clone(), options, makers)?));
            }
        };
        let connector = Connector::new(target.map_err(store_error)?, options);
        Node::start(address, connector, options, &Arc::default(), &makers).map(Self::One)
    }

    /// The books of the store.
    pub(super) fn accounts(&self) -> &Arc<Accounts> {
        match self {
            Self::One(node) => node.link().accounts(),
            Self::Cluster(cluster) => cluster.accounts(),
        }
    }

    pub(super) fn tally(&self) -> &Arc<Tally> {
        self.accounts().tally()
    }

    /// In a cluster, down for as long as the node that has been so for longest.
    pub(super) fn status(&self) -> RedisStatus {
        let down_for = match self {
            Self::One(node) => node.link().down_for(),
            Self::Cluster(cluster) => cluster.down_for(),
        };
        self.tally().status(down_for)
    }

    /// Where they are, without credentials.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::One(node) => node.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
    }

    /// Whether keys may be on several.
    pub(super) fn are_many(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }

    /// Whether all that there are answered last.
    pub(super) fn are_up(&self) -> bool {
        match self {
            Self::One(node) => node.is_up(),
            Self::Cluster(cluster) => cluster.is_up(),
        }
    }

    /// Whether any may answer: if none does, no request need wait to hear so.
    pub(super) fn may_answer(&self) -> bool {
        match self {
            Self::One(node) => node.is_up(),
            Self::Cluster(cluster) => cluster.is_known(),
        }
    }
}

impl Calls for Servers {
    fn acquire(&self, asked: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        match self {
            Self::One(node) => split::ask(asked, node.timeout(), |batch| node.acquire(batch)),
            Self::Cluster(cluster) => cluster.acquire(asked),
        }
    }

    fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        match self {
            Self::One(node) => node.reset(keys),
            Self::Cluster(cluster) => cluster.reset(keys),
        }
    }
}
