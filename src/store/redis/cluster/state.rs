//! What is known of a cluster, and how to connect to its nodes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use redis::{ConnectionInfo, ErrorKind, RedisResult};

use super::map::Map;
use super::slots::NodeAddress;
use crate::domain::clock::{Millis, millis};
use crate::store::redis::connect::connector::Connector;
use crate::store::redis::connect::target::Target;
use crate::store::redis::connect::url::topology::{HostList, with_address};
use crate::store::redis::health::log_throttle::LogThrottle;
use crate::store::redis::node::Shared;
use crate::store::redis::options::RedisOptions;
use crate::store::{Refund, StoreError, StoreErrorKind};

/// The intervals between lines in the log about units that could not be given back.
const FIRST_INTERVAL: Millis = 10_000;
const LONGEST_INTERVAL: Millis = 600_000;

/// The state of a cluster, which the calls of requests read and the thread that refreshes it writes.
pub(super) struct ClusterState {
    /// How the log calls the cluster.
    pub(super) name: String,
    /// The nodes of the URL. They know the others.
    pub(super) seeds: Vec<ConnectionInfo>,
    pub(super) options: RedisOptions,
    pub(super) shared: Shared,
    map: RwLock<Arc<Map>>,
    /// Whether the map says of any slot where it is.
    is_known: AtomicBool,
    started: Instant,
    throttle: LogThrottle,
    wake: Sender<()>,
}

impl ClusterState {
    /// The state of a cluster of which only `seeds` are known. A message to `wake` refreshes it.
    pub(super) fn new(
        seeds: Vec<ConnectionInfo>,
        options: RedisOptions,
        shared: Shared,
        wake: Sender<()>,
    ) -> Self {
        Self {
            name: format!("the cluster of {}", HostList(&seeds)),
            seeds,
            options,
            shared,
            map: RwLock::default(),
            is_known: AtomicBool::new(false),
            started: Instant::now(),
            throttle: LogThrottle::new(FIRST_INTERVAL, LONGEST_INTERVAL),
            wake,
        }
    }

    /// For how long a node has been down, or no node has been known; `None` if all nodes are up.
    pub(super) fn down_for(&self) -> Option<Duration> {
        if !self.is_known() {
            return Some(self.started.elapsed());
        }
        self.map().members().filter_map(|member| member.node.link().down_for()).max()
    }

    /// Whether the cluster has ever said where its slots are.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    pub(super) fn map(&self) -> Arc<Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_map(&self, map: Map) {
        let is_known = !map.is_empty();
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        self.is_known.store(is_known, Ordering::Release);
    }

    /// Starts a refresh of the map, which may be out of date.
    pub(super) fn refresh_soon(&self) {
        // If the channel is full, the thread is awake already.
        let _ = self.wake.try_send(());
    }

    /// Counts a refund that failed because of `cause`, and logs that now and then.
    pub(super) fn not_given_back(&self, refund: &Refund, cause: StoreErrorKind) {
        let count = &self.shared.tally.not_given_back;
        let units = refund.charge.cost.units();
        count.add(units);
        if self.throttle.happened(millis(self.started.elapsed())).is_some() {
            log::warn!(
                "Redis at {} could not be told to give back {} units of policy {:?} to a request that \
                 was not admitted ({}): they stay used, as {} have since the start.",
                self.name,
                units,
                refund.charge.policy.name(),
                StoreError::new(cause),
                count.get()
            );
        }
    }

    /// A connector to the node at `address`.
    pub(super) fn connector(&self, address: &NodeAddress) -> RedisResult<Connector> {
        Ok(Connector::new(self.target(address)?, &self.options.connect).of_member())
    }

    pub(super) fn target(&self, address: &NodeAddress) -> RedisResult<Target> {
        // All nodes have the same credentials and the same TLS.
        let seed = self.seeds.first().ok_or((ErrorKind::InvalidClientConfig, "no node"))?;
        let info = with_address(seed, address.host.clone(), address.port);
        Target::server(info, &self.options.connect)
    }

    /// The time of the clock that is used instead of the server's, if there is one.
    pub(super) fn now(&self) -> Option<Millis> {
        self.options.clock.as_ref().map(|clock| clock.now())
    }
}
