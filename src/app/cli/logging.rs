//! The log of a serving process. Lines that a library repeats, as any client can make it do, are written
//! once a minute with a count.

use std::fmt::Arguments;
use std::io::Write as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use log::{Level, Log, Metadata, Record};

use crate::app::config::LogFormat;
use crate::domain::clock::{Clock, Millis};
use crate::store::{MonotonicClock, SystemClock};

mod json;

/// How long records of a call site are only counted after one was written, in milliseconds.
const PAUSE: Millis = 60_000;

/// How often counts that are due are written.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(5);

/// Logs to standard error: our own records from `info` on, unless `RUST_LOG` says otherwise. Counts are
/// written when they are due, for as long as the returned value is held.
pub(super) fn start(format: LogFormat) -> Option<Sender<()>> {
    let filter = env_logger::Env::default().default_filter_or("warn,tollgate=info");
    let mut builder = env_logger::Builder::from_env(filter);
    builder.format_target(false);
    if format == LogFormat::Json {
        builder.format(|line, record| writeln!(line, "{}", json::object(record, &SystemClock)));
    }
    let logger = builder.build();
    let most = logger.filter();
    let throttled: &_ = Box::leak(Box::new(Throttled::new(logger, MonotonicClock::start())));
    // A process that calls this as a library may have a logger of its own, which is then left alone.
    log::set_logger(throttled).ok()?;
    log::set_max_level(most);
    let (held, ends) = channel();
    let summarize = move || {
        while ends.recv_timeout(SUMMARY_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            throttled.write_counts(PAUSE);
        }
    };
    // Without the thread, counts are written only at the end.
    let _ = thread::Builder::new().name("log".to_owned()).spawn(summarize);
    Some(held)
}

/// A logger that writes all of our own records, and of a library's records one a minute from each call
/// site. If `debug` is on for a target, all of its records are written.
#[derive(Debug)]
struct Throttled<L, C> {
    inner: L,
    clock: C,
    /// The call sites in libraries that logged recently, which are never many.
    call_sites: Mutex<Vec<CallSite>>,
}

/// A line in a library that logs.
#[derive(Debug)]
struct CallSite {
    target: String,
    line: Option<u32>,
    level: Level,
    /// The text of its last written record.
    text: String,
    written_at: Millis,
    /// How many records came since then.
    more: u64,
}

impl<L: Log, C: Clock> Throttled<L, C> {
    fn new(inner: L, clock: C) -> Self {
        Self { inner, clock, call_sites: Mutex::default() }
    }

    /// Whether `record` is written however often its call site logs.
    fn is_exempt(&self, record: &Record<'_>) -> bool {
        let target = record.target();
        let wants_all = Metadata::builder().target(target).level(Level::Debug).build();
        target == "tollgate" || target.starts_with("tollgate::") || self.inner.enabled(&wants_all)
    }

    /// Whether `record` is the first one of its call site for a while. If it is not, it is counted.
    fn is_first(&self, record: &Record<'_>) -> bool {
        let mut call_sites = self.call_sites();
        let known = call_sites
            .iter_mut()
            .find(|it| it.line == record.line() && it.target == record.target());
        if let Some(call_site) = known {
            call_site.more += 1;
            return false;
        }
        call_sites.push(CallSite {
            target: record.target().to_owned(),
            line: record.line(),
            level: record.level(),
            text: record.args().to_string(),
            written_at: self.clock.now(),
            more: 0,
        });
        true
    }

    /// For each call site whose last written record is `age` old, writes how many came since then. One
    /// without any is forgotten, so that its next record is written.
    fn write_counts(&self, age: Millis) {
        let now = self.clock.now();
        let mut due = Vec::new();
        self.call_sites().retain_mut(|it| {
            if now.saturating_sub(it.written_at) < age {
                return true;
            }
            let CallSite { target, level, text, more, .. } = &it;
            if *more == 0 {
                return false;
            }
            due.push((target.clone(), *level, format!("{more} more like {text:?}")));
            (it.written_at, it.more) = (now, 0);
            true
        });
        for (target, level, text) in due {
            self.write(level, &target, format_args!("{text}"));
        }
    }

    /// Writes a record with its target in front, as `RUST_LOG` names it.
    fn write(&self, level: Level, target: &str, text: Arguments<'_>) {
        let mut record = Record::builder();
        record.level(level).target(target);
        self.inner.log(&record.args(format_args!("{target}: {text}")).build());
    }

    fn call_sites(&self) -> MutexGuard<'_, Vec<CallSite>> {
        self.call_sites.lock().unwrap_or_else(PoisonError::into_inner)
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
        if self.is_exempt(record) {
            self.inner.log(record);
        } else if self.is_first(record) {
            self.write(record.level(), record.target(), *record.args());
        }
    }

    /// Writes all counts, as at the end of the process.
    fn flush(&self) {
        self.write_counts(0);
        self.inner.flush();
    }
}

#[cfg(test)]
mod tests;
