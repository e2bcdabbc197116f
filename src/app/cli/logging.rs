//! The log of a serving process. What a library says again and again, as any client can have it do,
//! is written once a minute, with a count.

use std::fmt::Arguments;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use log::{Level, Log, Metadata, Record};

use crate::domain::clock::{Clock, Millis};
use crate::store::MonotonicClock;

/// How long a source is only counted after a line of its own, in milliseconds.
const PAUSE: Millis = 60_000;

/// How often the sources are looked over for counts that are due.
const LOOK: Duration = Duration::from_secs(5);

/// Logs to standard error: our own records from `info` on, unless `RUST_LOG` says otherwise. What
/// was only counted is written in time for as long as the returned value is held.
pub(super) fn start() -> Option<Sender<()>> {
    let filter = env_logger::Env::default().default_filter_or("warn,tollgate=info");
    let logger = env_logger::Builder::from_env(filter).format_target(false).build();
    let most = logger.filter();
    let throttled: &_ = Box::leak(Box::new(Throttled::new(logger, MonotonicClock::start())));
    // An app that calls this as a library may have a logger already: it is that one's matter then.
    log::set_logger(throttled).ok()?;
    log::set_max_level(most);
    let (held, ends) = channel();
    let look = move || {
        while ends.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            throttled.write_counts(PAUSE);
        }
    };
    // Without the thread counts are written at the end alone.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(look);
    Some(held)
}

/// A logger that passes on all records of our own, and of others' one a minute from each source.
/// Where `debug` is on for a target, all of its records pass: somebody wants to see them.
#[derive(Debug)]
struct Throttled<L, C> {
    inner: L,
    clock: C,
    /// The places in libraries that logged of late: there are never many.
    sources: Mutex<Vec<Source>>,
}

/// A place in a library that logs.
#[derive(Debug)]
struct Source {
    target: String,
    line: Option<u32>,
    level: Level,
    /// What its last written record said.
    text: String,
    written_at: Millis,
    /// Records since then.
    more: u64,
}

impl<L: Log, C: Clock> Throttled<L, C> {
    fn new(inner: L, clock: C) -> Self {
        Self { inner, clock, sources: Mutex::default() }
    }

    /// Whether `record` is written however often its source logs.
    fn passes(&self, record: &Record<'_>) -> bool {
        let target = record.target();
        let wants_all = Metadata::builder().target(target).level(Level::Debug).build();
        target == "tollgate" || target.starts_with("tollgate::") || self.inner.enabled(&wants_all)
    }

    /// Whether `record` is its source's first of late; otherwise it is counted.
    fn is_first(&self, record: &Record<'_>) -> bool {
        let mut sources = self.sources();
        let known = sources
            .iter_mut()
            .find(|source| source.line == record.line() && source.target == record.target());
        if let Some(source) = known {
            source.more += 1;
            return false;
        }
        sources.push(Source {
            target: record.target().to_owned(),
            line: record.line(),
            level: record.level(),
            text: record.args().to_string(),
            written_at: self.clock.now(),
            more: 0,
        });
        true
    }

    /// Writes how many records were only counted, of each source whose last line is `age` old. A
    /// source that was silent since then is forgotten: its next record is a first one.
    fn write_counts(&self, age: Millis) {
        let now = self.clock.now();
        let mut due = Vec::new();
        self.sources().retain_mut(|source| {
            if now.saturating_sub(source.written_at) < age {
                return true;
            }
            let Source { target, level, text, more, .. } = &source;
            if *more == 0 {
                return false;
            }
            due.push((target.clone(), *level, format!("{more} more like {text:?}")));
            (source.written_at, source.more) = (now, 0);
            true
        });
        for (target, level, text) in due {
            self.write(level, &target, format_args!("{text}"));
        }
    }

    /// With the target in front, by which `RUST_LOG` names it.
    fn write(&self, level: Level, target: &str, text: Arguments<'_>) {
        let mut record = Record::builder();
        record.level(level).target(target);
        self.inner.log(&record.args(format_args!("{target}: {text}")).build());
    }

    fn sources(&self) -> MutexGuard<'_, Vec<Source>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Log, C: Clock> Log for Throttled<L, C> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if self.passes(record) {
            self.inner.log(record);
        } else if self.is_first(record) {
            self.write(record.level(), record.target(), *record.args());
        }
    }

    /// Writes all counts: for the end of the process.
    fn flush(&self) {
        self.write_counts(0);
        self.inner.flush();
    }
}

#[cfg(test)]
mod tests;
