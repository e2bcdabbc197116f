//! Replaces idle connections in the background, before a request needs them: those that the server has
//! closed, and those that have idled for almost as long as they may.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use r2d2::ManageConnection as _;
use scheduled_thread_pool::{JobHandle, ScheduledThreadPool};

use super::pool::{Manager, Pool, PooledConnection};

/// How often connections are checked within the time that one may idle, and the limits of the interval.
const CHECKS: u32 = 8;
const MIN_INTERVAL: Duration = Duration::from_millis(10);
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// Checks the idle connections of a pool again and again, until it is dropped.
pub(super) struct IdleCheck {
    job: JobHandle,
    /// The job holds it only weakly, and so ends when this is dropped.
    _checked: Arc<Checked>,
}

struct Checked {
    pool: Pool,
    manager: Manager,
}

impl IdleCheck {
    /// Checks the connections of `pool`, which `manager` makes, on one of the `connect_threads`.
    pub(super) fn start(
        pool: Pool,
        manager: Manager,
        connect_threads: &Arc<ScheduledThreadPool>,
    ) -> Self {
        let limit = manager.idle_timeout();
        let interval = (limit / CHECKS).clamp(MIN_INTERVAL, MAX_INTERVAL);
        // This check replaces what would be too old two checks later, since the next one may be late.
        let margin = (2 * interval).min(limit / 2);
        let checked = Arc::new(Checked { pool, manager });
        let weak = Arc::downgrade(&checked);
        let check = move || {
            if let Some(Checked { pool, manager }) = weak.upgrade().as_deref() {
                replace_worn(pool, manager, margin);
            }
        };
        let job = connect_threads.execute_with_fixed_delay(interval, interval, check);
        Self { job, _checked: checked }
    }
}

impl Drop for IdleCheck {
    fn drop(&mut self) {
        self.job.cancel();
    }
}

impl fmt::Debug for IdleCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdleCheck")
    }
}

/// Replaces the idle connections that will be worn within `margin`. Each of them stays in the pool
/// until its successor is made, so that no request waits for that. If none can be made, the link
/// learns of it.
fn replace_worn(pool: &Pool, manager: &Manager, margin: Duration) {
    let is_unfit = |connection: &PooledConnection| {
        connection.generation() != manager.link().generation() || connection.is_worn(margin)
    };
    for _ in 0..pool.max_size() {
        if !manager.link().is_up() || !with_idle(pool, |idle| idle.iter().any(is_unfit)) {
            return;
        }
        // The manager tells the link of an error.
        let Ok(mut successor) = manager.connect() else { return };
        with_idle(pool, |idle| {
            // There is none any more if a request has met it and thrown it away.
            if let Some(worn) = idle.iter_mut().find(|connection| is_unfit(connection)) {
                std::mem::swap(&mut **worn, &mut successor);
            }
        });
    }
}

/// Takes all idle connections out of the pool, calls `look` with them, and puts them back as they were.
fn with_idle<T>(pool: &Pool, look: impl FnOnce(&mut [PooledConnection]) -> T) -> T {
    let mut idle: Vec<PooledConnection> = std::iter::from_fn(|| pool.try_get()).collect();
    let result = look(&mut idle);
    // The pool hands out first what it was given last.
    while let Some(connection) = idle.pop() {
        drop(connection);
    }
    result
}
