//! All that keep the state: one server, or the nodes of a cluster.

use std::sync::Arc;

use scheduled_thread_pool::ScheduledThreadPool;

use super::batch::Batch;
use super::cluster::Cluster;
use super::dispatch::Calls;
use super::node::Node;
use super::pool::Manager;
use super::target::{Sentinels, Target};
use super::url::{Places, RedisUrl, Topology};
use super::{RedisOptions, store_error};
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
        let url: RedisUrl = options
            .url
            .parse()
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Refused, error))?;
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
                let known = Sentinels::new(sentinels, name, primary, options);
                let address = format!("{name} (by the sentinels {})", Places(sentinels));
                (address, known.map(|known| Target::Primary(Arc::new(known))))
            }
            Topology::Cluster { nodes } => {
                return Ok(Self::Cluster(Cluster::start(nodes.clone(), options, makers)?));
            }
        };
        let manager = Manager::new(target.map_err(store_error)?, options.timeout);
        Node::start(address, manager, options, &makers).map(Self::One)
    }

    /// Where they are, without credentials.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::One(node) => node.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
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
            Self::One(node) => {
                let batch = Batch::of(asked);
                let reply = node.acquire(&batch);
                batch.answered(reply)
            }
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
