//! The table of overrides that a process shares with all others by their store.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::change::AuditLine;
use super::entry::{Override, overrides_of, text_of};
use super::error::{MOST_OVERRIDES, OverrideError};
use super::time::StoreTime;
use crate::domain::clock::{Clock, Millis};
use crate::store::{OverrideStore, ReplaceOverrides, StoreError, StoreErrorKind};

/// How often a change is tried while other processes make theirs.
const MOST_TRIES: usize = 16;

/// For how many milliseconds the store keeps the table after the last override has ended.
const KEPT_LONGER: Millis = 60_000;

/// The overrides of all processes that share a store: bans, boosts, and policies that are off. Cheap to
/// clone.
///
/// A thread reads them again and again, until the last clone is dropped. While the store is away, those that
/// were read last hold, and end by themselves.
#[derive(Clone, Debug)]
pub struct Overrides {
    shared: Arc<Shared>,
    /// The thread ends when it is dropped.
    _ends_thread: Sender<()>,
}

/// Acts by the overrides.
pub(in crate::limiter) trait Follow: Send + Sync {
    /// Learns of all overrides that hold from now on.
    fn follow(&self, overrides: &[Override], time: &Arc<StoreTime>);
}

struct Shared {
    store: Arc<dyn OverrideStore>,
    time: Arc<StoreTime>,
    /// Locked while the store is asked, so that a table never takes the place of a later one.
    known: Mutex<Known>,
    followers: Mutex<Vec<Weak<dyn Follow>>>,
}

/// What was read last.
#[derive(Debug, Default)]
struct Known {
    /// `None` until the store has answered.
    generation: Option<u64>,
    overrides: Vec<Override>,
}

/// What a change did to the table.
pub(super) struct Done<T> {
    pub(super) made: T,
    /// When, by the store's clock.
    pub(super) now: Millis,
}

impl Overrides {
    /// Reads the overrides in `store`, then again `every` so often. Time is read from `clock`, which must
    /// not step back. A store that does not answer is no error: its overrides hold once it does.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(
        store: Arc<dyn OverrideStore>,
        every: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            store,
            time: Arc::new(StoreTime::new(clock)),
            known: Mutex::default(),
            followers: Mutex::default(),
        });
        if let Err(error) = shared.refresh() {
            // The store itself says in the log that it does not answer.
            log::debug!("The overrides of operators are not known yet: {error}.");
        }
        let (ends_thread, ended) = mpsc::channel();
        let reader = Arc::downgrade(&shared);
        thread::Builder::new()
            .name("tollgate-overrides".to_owned())
            .spawn(move || read_again(&reader, every, &ended))
            .map_err(|error| StoreError::caused_by(StoreErrorKind::Closed, error))?;
        Ok(Self { shared, _ends_thread: ends_thread })
    }

    /// Tells `follower` of all overrides, now and whenever they change.
    pub(in crate::limiter) fn add_follower(&self, follower: Weak<dyn Follow>) {
        let known = self.shared.known();
        if let Some(follower) = follower.upgrade() {
            follower.follow(&known.overrides, &self.shared.time);
        }
        let mut followers = lock(&self.shared.followers);
        followers.retain(|known| known.strong_count() > 0);
        followers.push(follower);
    }

    /// All overrides that hold, and the store's time. If the store does not answer, those that were read
    /// last, and why it does not.
    pub(super) fn list(&self) -> (Vec<Override>, Millis, Option<StoreError>) {
        let mut known = self.shared.known();
        let failed = self.shared.read(&mut known, None).err();
        let now = self.shared.time.now();
        known.end(now);
        (known.overrides.clone(), now, failed)
    }

    /// The last `most` changes, newest first.
    pub(super) fn audit(&self, most: usize) -> Result<Vec<AuditLine>, StoreError> {
        let lines = self.shared.store.override_changes(most)?;
        Ok(lines.iter().filter_map(|line| AuditLine::read(line)).collect())
    }

    /// Makes a change to the table, in the store and here. `change` may be called again, when another
    /// process has changed the table meanwhile. If it returns no line, there is nothing to change.
    pub(super) fn change<T>(
        &self,
        mut change: impl FnMut(&mut Vec<Override>, Millis) -> (T, Option<AuditLine>),
    ) -> Result<Done<T>, OverrideError> {
        let shared = &self.shared;
        let mut known = shared.known();
        for _ in 0..MOST_TRIES {
            let now = shared.read(&mut known, None).map_err(OverrideError::Store)?;
            let mut overrides = known.overrides.clone();
            let (made, line) = change(&mut overrides, now);
            let Some(line) = line else { return Ok(Done { made, now }) };
            if overrides.len() > MOST_OVERRIDES.max(known.overrides.len()) {
                return Err(OverrideError::Full);
            }
            let last_end = overrides.iter().map(|it| it.until).fold(now, Millis::max);
            let replaced = shared.store.replace_overrides(&ReplaceOverrides {
                generation: known.generation.unwrap_or_default(),
                text: &text_of(&overrides),
                keep_for: (last_end - now).saturating_add(KEPT_LONGER),
                change: &line.text(),
            });
            if let Some(generation) = replaced.map_err(OverrideError::Store)? {
                *known = Known { generation: Some(generation), overrides };
                shared.tell(&known);
                return Ok(Done { made, now });
            }
        }
        Err(OverrideError::Contended)
    }
}

/// Reads the overrides again, until the last owner of the table is gone.
fn read_again(shared: &Weak<Shared>, every: Duration, ended: &Receiver<()>) {
    while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let Some(shared) = shared.upgrade() else { return };
        if let Err(error) = shared.refresh() {
            log::debug!("The overrides of operators could not be read: {error}.");
        }
    }
}

impl Shared {
    /// Reads the table if it has changed, and ends what has ended.
    fn refresh(&self) -> Result<(), StoreError> {
        let mut known = self.known();
        let generation = known.generation;
        let done = self.read(&mut known, generation);
        if done.is_err() && known.end(self.time.now()) {
            self.tell(&known);
        }
        done.map(drop)
    }

    /// Reads the table, unless its generation is `generation`, and returns the store's time.
    fn read(&self, known: &mut Known, generation: Option<u64>) -> Result<Millis, StoreError> {
        let read = self.store.read_overrides(generation)?;
        self.time.set(read.now);
        let is_new = known.generation != Some(read.generation);
        if let Some(text) = read.text {
            let (overrides, unknown) = overrides_of(&text);
            *known = Known { generation: Some(read.generation), overrides };
            if is_new && unknown > 0 {
                log::warn!(
                    "{unknown} of the overrides in the store are of another version, and do not hold here."
                );
            }
        }
        if known.end(read.now) || is_new {
            self.tell(known);
        }
        Ok(read.now)
    }

    fn tell(&self, known: &Known) {
        let followers = lock(&self.followers);
        for follower in followers.iter().filter_map(Weak::upgrade) {
            follower.follow(&known.overrides, &self.time);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

impl Known {
    /// Forgets what has ended by `now`. Returns whether there was any.
    fn end(&mut self, now: Millis) -> bool {
        let before = self.overrides.len();
        self.overrides.retain(|it| now < it.until);
        self.overrides.len() < before
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("store", &self.store).finish_non_exhaustive()
    }
}
