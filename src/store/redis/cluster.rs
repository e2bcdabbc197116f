//! A Redis Cluster: each node is a server of its own, with its own pool and link, and each request
//! goes to the nodes that hold its keys.
//!
//! redis-rs has a client of clusters, too. It sends again what a lost connection may have charged, has
//! the replies of all nodes fail with those of one, and, in the midst of a request, connects to every
//! node anew when a slot has moved.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use redis::{ConnectionInfo, ErrorKind, RedisResult};
use scheduled_thread_pool::ScheduledThreadPool;

use self::call::{Call, What, Whom};
use self::exchange::exchange;
use self::map::{Map, Place, slot_of};
use self::routed_calls::Plan;
use super::connect::target::{Target, at};
use super::connect::url::Places;
use super::health::log_throttle::Seldom;
use super::node::pool::Connector;
use super::options::RedisOptions;
use super::recovery::debts::{Accounts, Collector};
use super::script::Refund;
use crate::domain::clock::{Millis, millis};
use crate::store::{Acquire, Acquired, Key, StoreError, StoreErrorKind};

mod call;
mod exchange;
pub(super) mod map;
mod refresh;
mod routed_calls;

pub(super) struct Cluster {
    address: String,
    /// The nodes of the URL, which know the others.
    seeds: Vec<ConnectionInfo>,
    options: RedisOptions,
    makers: Arc<ScheduledThreadPool>,
    map: RwLock<Arc<Map>>,
    /// Whether that says where any slot is.
    is_known: AtomicBool,
    accounts: Arc<Accounts>,
    started: Instant,
    mentioned: Seldom,
    /// Wakes who refreshes the map.
    wake: Sender<()>,
}

impl Cluster {
    /// Asks once where the slots are, and starts the thread that does when they move.
    pub(super) fn start(
        seeds: Vec<ConnectionInfo>,
        options: &RedisOptions,
        makers: Arc<ScheduledThreadPool>,
    ) -> Result<Arc<Self>, StoreError> {
        let (wake, wakes) = bounded(1);
        let address = format!("the cluster of {}", Places(&seeds));
        let cluster = Arc::new_cyclic(|cluster: &Weak<Self>| Self {
            address,
            seeds,
            options: options.clone(),
            makers,
            map: RwLock::default(),
            is_known: AtomicBool::new(false),
            accounts: Arc::new(Accounts::of_many(cluster.clone())),
            started: Instant::now(),
            mentioned: Seldom::new(10_000, 600_000),
            wake,
        });
        refresh::start(&cluster, wakes)?;
        Ok(cluster)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// For how long a node has been down, or nothing has been known of any.
    pub(super) fn down_for(&self) -> Option<Duration> {
        if !self.is_known() {
            return Some(self.started.elapsed());
        }
        self.map().members().filter_map(|member| member.node.link().down_for()).max()
    }

    /// Whether every slot has a node, and every node answers.
    pub(super) fn is_up(&self) -> bool {
        self.map().is_up()
    }

    /// Whether it ever said where the slots are.
    pub(super) fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    pub(super) fn acquire(&self, asked: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        Plan::of(asked, Whom::Up).run(self)
    }

    /// Forgets `keys`; those that can be, where not all can.
    pub(super) fn reset(&self, keys: &[Key]) -> Result<(), StoreError> {
        let mut of_slots: HashMap<u16, Vec<&Key>> = HashMap::new();
        for key in keys {
            of_slots.entry(slot_of(key)).or_default().push(key);
        }
        let calls: Vec<Call<'_>> = of_slots
            .iter()
            .flat_map(|(&slot, keys)| keys.iter().map(move |key| (slot, key)))
            .map(|(slot, key)| Call { slot, what: What::Reset(key) })
            .collect();
        let replies = exchange(self, &calls, Whom::Up);
        replies.into_iter().try_for_each(|reply| {
            reply.map(drop).map_err(|failure| StoreError::new(failure.kind()))
        })
    }

    fn map(&self) -> Arc<Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_map(&self, map: Map) {
        let is_known = !map.is_empty();
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map);
        self.is_known.store(is_known, Ordering::Release);
    }

    /// Books what could not be given back because of `cause`, and says so now and then.
    fn not_given_back(&self, refund: &Refund, cause: StoreErrorKind) {
        let count = &self.accounts.tally().not_given_back;
        count.add(refund.amount);
        if self.mentioned.happened(millis(self.started.elapsed())).is_some() {
            log::warn!(
                "Redis at {} could not be told to give back {} units of policy {:?} to a request that \
                 was not admitted ({}): they stay used, as {} have since the start.",
                self.address,
                refund.amount,
                refund.charge.policy.name(),
                StoreError::new(cause),
                count.get()
            );
        }
    }

    /// Has the map refreshed: it may be out of date.
    fn refresh_soon(&self) {
        // A full channel has woken it already.
        let _ = self.wake.try_send(());
    }

    /// Who connects to the node at `place`.
    fn connector(&self, place: &Place) -> RedisResult<Connector> {
        Ok(Connector::new(self.target(place)?, &self.options).of_member())
    }

    fn target(&self, place: &Place) -> RedisResult<Target> {
        // Credentials and TLS are the same for all nodes.
        let seed = self.seeds.first().ok_or((ErrorKind::InvalidClientConfig, "no node"))?;
        Target::server(at(seed, place.host.clone(), place.port), &self.options)
    }

    fn now(&self) -> Option<Millis> {
        self.options.clock.as_ref().map(|clock| clock.now())
    }
}

impl Collector for Cluster {
    fn collect(&self, debts: Vec<Acquire>) -> Vec<Result<Acquired, StoreErrorKind>> {
        Plan::of(debts, Whom::All).run(self)
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("address", &self.address).finish_non_exhaustive()
    }
}
