//! Leases: processes that charge units of a busy key at once admit no more than the quota together, and deny early
//! no more than what they hold.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime;
use tollgate::store::StoreError;
use tollgate::{
    Client, Cost, DecidedBy, DecisionEvent, KeySource, LeaseCounts, Limiter, LimiterBuilder,
    ManualClock, Observer, Policy, RedisOptions, RedisStore, Unavailable,
};

use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, patient, policy};
use crate::support::threads::until;

mod app;
mod clusters;
mod ends;
mod processes;

const QUOTA: u64 = 4_000;

/// Far longer than any test takes, where the clock of the leases does not stand still.
const LEASE: Duration = Duration::from_millis(1_000);

/// Counts who decided.
#[derive(Debug, Default)]
struct Deciders {
    by_lease: AtomicU64,
    others: AtomicU64,
}

impl Observer for Deciders {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        let counter = match event.decided_by {
            DecidedBy::Lease => &self.by_lease,
            _ => &self.others,
        };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

/// A process that leases units of one key, which all clients share. Its clock and that of Redis are set.
struct Process {
    store: Arc<RedisStore>,
    limiter: Limiter,
    deciders: Arc<Deciders>,
}

/// The policy that all requests meet.
fn everyone(algorithm: &str) -> Policy {
    let policy = policy("everyone", algorithm, QUOTA, HOUR).as_ref().clone();
    policy.with_key(KeySource::Global).with_lease(LEASE)
}

impl Process {
    fn new(server: &Server, algorithm: &str, instances: u64, clock: &Arc<ManualClock>) -> Self {
        let options = patient(&server.url()).clock(clock.clone());
        Self::over(&options, everyone(algorithm), instances, clock, |builder| builder)
    }

    fn over(
        options: &RedisOptions,
        policy: Policy,
        instances: u64,
        clock: &Arc<ManualClock>,
        more: impl FnOnce(LimiterBuilder) -> LimiterBuilder,
    ) -> Self {
        let store = Arc::new(RedisStore::start(options).expect("a store"));
        until("the store is up", || store.is_up());
        let deciders = Arc::new(Deciders::default());
        let builder = Limiter::builder(store.clone())
            .policy(policy)
            .instances(NonZeroU64::new(instances).expect("some"))
            .leases(clock.clone())
            .observer(deciders.clone());
        let limiter = more(builder).build().expect("its policies");
        Self { store, limiter, deciders }
    }

    fn check(&self, names: &[&str], user: &str) -> Result<bool, Unavailable> {
        let policies = self.limiter.policies(names).expect("they exist");
        let decision = self.limiter.check(&policies, Cost::ONE, &Client::user(user)).wait();
        decision.map(|it| it.is_allowed())
    }

    /// Whether one request is admitted.
    fn admits(&self) -> bool {
        self.check(&["everyone"], "any").expect("a decision")
    }

    /// How many of `count` requests are admitted.
    fn admitted(&self, count: u64) -> u64 {
        (0..count).filter(|_| self.admits()).count() as u64
    }

    /// How many requests are admitted until it holds units, and asks for no more.
    fn admitted_until_leased(&self) -> u64 {
        let (mut admitted, mut leased) = (0, None);
        until("it leases units", || {
            let counts = self.counts();
            let is_same = leased.replace(counts.leased) == Some(counts.leased);
            if counts.units_held == 0 {
                admitted += self.admitted(40);
            }
            is_same && counts.units_held > 0
        });
        admitted
    }

    fn counts(&self) -> LeaseCounts {
        self.limiter.lease_counts().remove(0)
    }

    /// What remains in Redis, without what this process holds.
    fn remaining_in_redis(&self) -> u64 {
        let alone = Limiter::builder(self.store.clone()).policy(everyone("fixed-window"));
        let alone = alone.build().expect("one policy");
        let policies = alone.policies(["everyone"]).expect("it exists");
        let peek = alone.peek(&policies, Cost::ONE, &Client::default()).wait();
        peek.expect("a decision").policies().next().expect("one policy").1.remaining
    }

    fn ends_leases(&self) {
        wait(self.limiter.end_leases());
    }

    fn resets(&self) -> Result<(), StoreError> {
        let policies = self.limiter.policies(["everyone"]).expect("it exists");
        wait(self.limiter.reset(&policies, &Client::default()))
    }
}

/// Waits for a future that another thread wakes.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(NOW))
}
