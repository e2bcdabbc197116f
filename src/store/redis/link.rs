//! Whether the server answers: down after a failed call, up again after a probe that succeeds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use r2d2::ManageConnection as _;

use super::batch::Batch;
use super::pool::{Generation, Manager};
use super::{RedisOptions, script, store_error};
use crate::policy::Policy;
use crate::quota::{Cost, MAX_EXACT, Quota};
use crate::store::{Acquire, Charge, Keyspace, StoreError, StoreErrorKind};

/// How long a probe that failed waits before the next.
const PROBE_INTERVAL: Duration = Duration::from_millis(250);

/// The state of the link to one server.
#[derive(Debug)]
pub(super) struct Link {
    address: String,
    up: AtomicBool,
    generation: Generation,
    wake: Sender<()>,
}

impl Link {
    /// Probes once, and starts the thread that probes whenever the link is down.
    pub(super) fn start(
        address: String,
        manager: Manager,
        options: &RedisOptions,
    ) -> Result<Arc<Self>, StoreError> {
        let probe = Probe::new(manager, options)?;
        let (wake, wakes) = bounded(1);
        let generation = probe.manager.generation();
        let link = Arc::new(Self { address, up: AtomicBool::new(true), generation, wake });
        match probe.run() {
            Ok(()) => link.log_up(),
            Err(error) => link.take_down(&error),
        }
        let weak = Arc::downgrade(&link);
        thread::Builder::new()
            .name("tollgate-probe".to_owned())
            .spawn(move || {
                while wakes.recv().is_ok() && probe.until_answered(&wakes) {
                    let Some(link) = weak.upgrade() else { return };
                    link.take_up();
                }
            })
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        Ok(link)
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Acquire)
    }

    /// Takes the link down for `cause`, and has it probed.
    pub(super) fn take_down(&self, cause: &StoreError) {
        if self.up.swap(false, Ordering::AcqRel) {
            // What was connected before may be half dead: nothing of it is used again.
            self.generation.next();
            let says = match cause.kind() {
                StoreErrorKind::Refused => "refuses to count",
                _ => "does not answer",
            };
            log::warn!(
                "Redis at {} {says} ({}): counting in this process, or as on_store_failure says, \
                 until it does.",
                self.address,
                Reason(cause)
            );
        }
        // A full channel has woken the probe already.
        let _ = self.wake.try_send(());
    }

    fn take_up(&self) {
        if !self.up.swap(true, Ordering::AcqRel) {
            self.log_up();
        }
    }

    fn log_up(&self) {
        log::info!("Redis at {} answers: counting there.", self.address);
    }
}

/// Why the server failed, in a few words.
struct Reason<'a>(&'a StoreError);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.kind(), std::error::Error::source(self.0)) {
            (StoreErrorKind::TimedOut, _) => f.write_str("timed out"),
            (_, Some(source)) => write!(f, "{source}"),
            (_, None) => write!(f, "{}", self.0),
        }
    }
}

/// Charges a key of its own: what succeeds then succeeds for requests.
struct Probe {
    manager: Manager,
    charge: Charge,
    clock: Option<Arc<dyn crate::clock::Clock>>,
}

impl Probe {
    fn new(manager: Manager, options: &RedisOptions) -> Result<Self, StoreError> {
        let refused = |error| StoreError::caused_by(StoreErrorKind::Refused, error);
        // Never used up, so that every probe writes.
        let quota = Quota::new(MAX_EXACT, 1_000).map_err(|error| refused(error.to_string()))?;
        let policy = Policy::new("probe", quota).map_err(|error| refused(error.to_string()))?;
        let key = Keyspace::new(&options.key_prefix).probe(&policy);
        let charge = Charge { policy: Arc::new(policy), key };
        Ok(Self { manager, charge, clock: options.clock.clone() })
    }

    fn run(&self) -> Result<(), StoreError> {
        let mut connection = self.manager.connect().map_err(store_error)?;
        let charges = vec![self.charge.clone()];
        let batch = Batch::of(vec![Acquire { charges, cost: Cost::ONE, count: 1 }]);
        let now = self.clock.as_ref().map(|clock| clock.now());
        match script::run(&mut connection, &batch, now) {
            // The slot of the key has moved: the node is there for others.
            Err(error) if self.manager.is_member() && error.redirect_node().is_some() => Ok(()),
            reply => reply.map(drop).map_err(store_error),
        }
    }

    /// Probes until one succeeds; false when nobody listens any more.
    fn until_answered(&self, wakes: &Receiver<()>) -> bool {
        while let Err(error) = self.run() {
            log::debug!("The probe of Redis failed: {error:?}.");
            if let Err(RecvTimeoutError::Disconnected) = wakes.recv_timeout(PROBE_INTERVAL) {
                return false;
            }
        }
        true
    }
}
