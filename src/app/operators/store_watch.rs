//! Examines the store at intervals, so that the log reports what `tollgate doctor` would find.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::store::{self, Finding, Level, Look, RedisOptions, SystemClock};

/// The questions of `tollgate doctor` that are asked at each interval.
const WATCHED: [&str; 5] = ["eviction", "memory", "persistence", "clock", "latency"];

/// The question whether keys were evicted, which takes two examinations to answer.
const EVICTED: &str = "evicted";

/// Examines a store at intervals until it is dropped.
#[derive(Debug)]
pub(crate) struct StoreWatch {
    last: Arc<Mutex<Examined>>,
    _until_dropped: Sender<Infallible>,
}

/// What the last examination found.
#[derive(Clone, Debug, Default)]
pub(super) struct Examined {
    /// How bad the answer to each question was; unknown answers are absent.
    pub(super) levels: BTreeMap<&'static str, Level>,
    /// The questions whose last known answer was bad.
    bad: BTreeSet<&'static str>,
    /// How many keys each server had evicted when it last answered.
    evicted: BTreeMap<String, u64>,
    pub(super) clock_offset_ms: Option<u64>,
    pub(super) round_trip_micros: Option<u64>,
}

impl StoreWatch {
    /// Examines the store of `options`, which the log calls `address`, now and every `interval`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        address: String,
        options: RedisOptions,
        interval: Duration,
    ) -> io::Result<Self> {
        let last = Arc::new(Mutex::new(Examined::default()));
        let (until_dropped, dropped) = bounded::<Infallible>(0);
        let of_thread = last.clone();
        let watch = move || loop {
            match store::look(&options, &SystemClock) {
                Ok(look) => log_changes(&address, lock(&of_thread).update(&look)),
                Err(error) => log::debug!("Redis at {address} cannot be examined: {error}."),
            }
            if dropped.recv_timeout(interval) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        };
        thread::Builder::new().name("tollgate-watch".to_owned()).spawn(watch)?;
        Ok(Self { last, _until_dropped: until_dropped })
    }

    /// What the last examination found.
    pub(super) fn last(&self) -> Examined {
        lock(&self.last).clone()
    }
}

fn lock(last: &Mutex<Examined>) -> MutexGuard<'_, Examined> {
    // If a panic left it half updated, the next examination updates the rest.
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that has become bad, or good again.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    is_bad: bool,
    about: &'static str,
    text: String,
}

fn log_changes(address: &str, changes: Vec<Change>) {
    for Change { is_bad, about, text } in changes {
        if is_bad {
            log::warn!("Redis at {address}, {about}: {text}.");
        } else {
            log::info!("Redis at {address}, {about}, is well again: {text}.");
        }
    }
}

impl Examined {
    /// Replaces what is known by what `look` found, and returns what has changed.
    fn update(&mut self, look: &Look) -> Vec<Change> {
        let evicted = self.evictions(&look.evicted);
        let mut worst: BTreeMap<&'static str, &Finding> = BTreeMap::new();
        for finding in look.findings.iter().chain(&evicted) {
            let is_watched = WATCHED.contains(&finding.about) || finding.about == EVICTED;
            let known = worst.get(finding.about).map(|it| it.level);
            if is_watched && known.is_none_or(|known| known < finding.level) {
                worst.insert(finding.about, finding);
            }
        }
        let mut changes = Vec::new();
        for (about, Finding { level, text, .. }) in &worst {
            let is_bad = is_bad(about, *level);
            let has_changed = if is_bad { self.bad.insert(about) } else { self.bad.remove(about) };
            if has_changed {
                changes.push(Change { is_bad, about, text: text.clone() });
            }
        }
        let measured = |about| worst.get(about).and_then(|finding| finding.measured);
        self.clock_offset_ms = measured("clock");
        self.round_trip_micros = measured("latency");
        self.levels = worst.iter().map(|(about, finding)| (*about, finding.level)).collect();
        // A server that did not answer keeps its count: it goes on from there when it is back.
        self.evicted.extend(look.evicted.clone());
        changes
    }

    /// How many keys were evicted since the servers started; `None` if no server told.
    pub(super) fn evicted(&self) -> Option<u64> {
        let sum = || self.evicted.values().fold(0, |sum: u64, more| sum.saturating_add(*more));
        (!self.evicted.is_empty()).then(sum)
    }

    /// The finding from the keys that each server has evicted by `now`; `None` if no server told.
    fn evictions(&self, now: &BTreeMap<String, u64>) -> Option<Finding> {
        let more = now.iter().map(|(server, now)| match self.evicted.get(server) {
            Some(before) if before <= now => now - before,
            // It answers for the first time, or it was restarted and counts from 0.
            _ => *now,
        });
        let more = more.fold(0, u64::saturating_add);
        let since = match self.evicted.is_empty() {
            true => "since it started",
            false => "since the last look",
        };
        let (level, advice) = match more {
            0 => (Level::Ok, ""),
            _ => {
                (Level::Fail, ": counts may be among them; set noeviction, or raise its maxmemory")
            }
        };
        let text = format!("{more} keys were evicted {since}{advice}");
        (!now.is_empty()).then(|| Finding::new(level, EVICTED, text))
    }
}

/// Whether an answer is worth a line in the log. A single slow round trip is not.
fn is_bad(about: &str, level: Level) -> bool {
    level > if about == "latency" { Level::Warn } else { Level::Ok }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(findings: &[(&'static str, Level)], evicted: &[(&str, u64)]) -> Look {
        let finding = |it: &(&'static str, Level)| Finding::new(it.1, it.0, "text");
        let evicted = evicted.iter().map(|(server, count)| ((*server).to_owned(), *count));
        Look { findings: findings.iter().map(finding).collect(), evicted: evicted.collect() }
    }

    /// What changes with each of these, one after the other.
    fn changes(looks: &[Look]) -> Vec<Vec<(bool, &'static str)>> {
        let mut examined = Examined::default();
        let mut changes = |look: &Look| {
            examined.update(look).into_iter().map(|it| (it.is_bad, it.about)).collect()
        };
        looks.iter().map(&mut changes).collect()
    }

    #[test]
    fn each_change_is_logged_once() {
        let bad = || look(&[("eviction", Level::Fail), ("clock", Level::Ok)], &[]);
        let good = || look(&[("eviction", Level::Ok), ("clock", Level::Ok)], &[]);
        let changes = changes(&[good(), bad(), bad(), good(), good(), bad()]);
        let changed = |is_bad| vec![(is_bad, "eviction")];
        let none = Vec::new;
        assert_eq!(changes, [none(), changed(true), none(), changed(false), none(), changed(true)]);
    }

    #[test]
    fn of_several_nodes_the_worst_is_logged_and_what_is_unknown_is_not() {
        let mixed = look(&[("eviction", Level::Ok), ("eviction", Level::Fail)], &[]);
        let unknown = look(&[], &[]);
        let other = look(&[("version", Level::Fail), ("latency", Level::Warn)], &[]);
        let again = look(&[("eviction", Level::Fail)], &[]);
        let none = Vec::new;
        let expected = [vec![(true, "eviction")], none(), none(), none()];
        assert_eq!(changes(&[mixed, unknown, other, again]), expected);
    }

    #[test]
    fn evictions_are_logged_when_they_begin_and_when_they_end() {
        let looks = [0, 5, 9, 9, 9, 12, 0].map(|count| look(&[], &[("a", count)]));
        let changes = changes(&looks);
        let bad: Vec<Option<bool>> =
            changes.iter().map(|changes| changes.first().map(|(is_bad, _)| *is_bad)).collect();
        let expected = [None, Some(true), None, Some(false), None, Some(true), Some(false)];
        assert_eq!(bad, expected);
    }

    #[test]
    fn a_server_that_is_away_for_a_look_has_evicted_nothing_meanwhile() {
        let both = || look(&[], &[("a", 5), ("b", 7)]);
        let one = || look(&[], &[("b", 7)]);
        let none = || look(&[], &[]);
        let (bad, good) = (vec![(true, EVICTED)], vec![(false, EVICTED)]);
        let nothing = Vec::new;
        // What they evicted before the first examination is logged once.
        let looks = [both(), both(), one(), both(), none(), both()];
        let expected = [bad, good, nothing(), nothing(), nothing(), nothing()];
        assert_eq!(changes(&looks), expected);
        // Nor does the total fall.
        let mut examined = Examined::default();
        for look in looks {
            examined.update(&look);
            assert_eq!(examined.evicted(), Some(12));
        }
    }
}
