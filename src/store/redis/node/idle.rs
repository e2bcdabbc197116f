//! Keeps the pooled connections of a server fit for use: what was closed while it idled, or has idled
//! for almost as long as it may, is replaced in the background, before a request needs it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use r2d2::ManageConnection as _;
use scheduled_thread_pool::{JobHandle, ScheduledThreadPool};

use super::pool::{Manager, Pool, PooledConnection};

/// How often connections are looked at: so often within the time that one may idle, within these.
const LOOKS: u32 = 8;
const LEAST_INTERVAL: Duration = Duration::from_millis(10);
const MOST_INTERVAL: Duration = Duration::from_secs(1);

/// Looks at the idle connections of a pool now and then, until it is dropped.
pub(crate) struct Keeper {
    job: JobHandle,
    /// The job has but a weak hold of it: it ends with this.
    _kept: Arc<Kept>,
}

struct Kept {
    pool: Pool,
    manager: Manager,
}

impl Keeper {
    /// Looks at those of `pool`, which `manager` makes, on one of the threads of `makers`.
    pub(crate) fn start(pool: Pool, manager: Manager, makers: &Arc<ScheduledThreadPool>) -> Self {
        let limit = manager.idle_timeout();
        let interval = (limit / LOOKS).clamp(LEAST_INTERVAL, MOST_INTERVAL);
        // What would be too old at the look after next is replaced at this one: a look may be late.
        let margin = (2 * interval).min(limit / 2);
        let kept = Arc::new(Kept { pool, manager });
        let weak = Arc::downgrade(&kept);
        let look = move || {
            if let Some(Kept { pool, manager }) = weak.upgrade().as_deref() {
                replace_worn(pool, manager, margin);
            }
        };
        let job = makers.execute_with_fixed_delay(interval, interval, look);
        Self { job, _kept: kept }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}

/// Replaces the idle connections that will be worn within `margin`. Each is one until its successor is
/// there, so that no request waits for that; where none can be made, the link learns of it.
fn replace_worn(pool: &Pool, manager: &Manager, margin: Duration) {
    let is_unfit = |connection: &PooledConnection| {
        connection.generation() != manager.link().generation() || connection.is_worn(margin)
    };
    for _ in 0..pool.max_size() {
        if !manager.link().is_up() || !with_idle(pool, |idle| idle.iter().any(is_unfit)) {
            return;
        }
        // It tells the link why not.
        let Ok(mut successor) = manager.connect() else { return };
        with_idle(pool, |idle| {
            // None is left where a request has met it, and thrown it away.
            if let Some(worn) = idle.iter_mut().find(|connection| is_unfit(connection)) {
                std::mem::swap(&mut **worn, &mut successor);
            }
        });
    }
}

/// Takes all idle connections, for as long as `look` takes, and gives them back as they were.
fn with_idle<T>(pool: &Pool, look: impl FnOnce(&mut [PooledConnection]) -> T) -> T {
    let mut idle: Vec<PooledConnection> = std::iter::from_fn(|| pool.try_get()).collect();
    let result = look(&mut idle);
    // The pool hands out first what it was given last.
    while let Some(connection) = idle.pop() {
        drop(connection);
    }
    result
}
