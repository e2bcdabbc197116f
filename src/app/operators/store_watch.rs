//! A look at the store from time to time, so that what would fail a `tollgate doctor` later on is said
//! without one.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::store::{self, Finding, Level, Look, RedisOptions, SystemClock};

/// The questions that are asked again and again.
const WATCHED: [&str; 5] = ["eviction", "memory", "persistence", "clock", "latency"];

/// That keys were evicted is found by two looks.
const EVICTED: &str = "evicted";

/// Looks at a store until it is dropped.
#[derive(Debug)]
pub(crate) struct StoreWatch {
    seen: Arc<Mutex<Seen>>,
    _until_dropped: Sender<Infallible>,
}

/// What was seen last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// How bad each answer was, by its question; what is unknown is not there.
    pub(crate) levels: BTreeMap<&'static str, Level>,
    /// The answers that were bad when they were known last.
    bad: BTreeSet<&'static str>,
    /// How many keys each server had evicted when it was asked last.
    evicted: BTreeMap<String, u64>,
    pub(crate) clock_offset_ms: Option<u64>,
    pub(crate) round_trip_micros: Option<u64>,
}

impl StoreWatch {
    /// Looks at the store of `options`, which the log calls `address`, now and every `interval`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn start(
        address: String,
        options: RedisOptions,
        interval: Duration,
    ) -> io::Result<Self> {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (until_dropped, dropped) = bounded::<Infallible>(0);
        let of_thread = seen.clone();
        let watch = move || loop {
            match store::look(&options, &SystemClock) {
                Ok(look) => say(&address, lock(&of_thread).learn(&look)),
                Err(error) => log::debug!("Redis at {address} cannot be looked at: {error}."),
            }
            if dropped.recv_timeout(interval) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
        };
        thread::Builder::new().name("tollgate-watch".to_owned()).spawn(watch)?;
        Ok(Self { seen, _until_dropped: until_dropped })
    }

    /// What was seen last.
    pub(crate) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    // Whatever a panic left is replaced by the next look.
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that turned bad, or good again.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    is_bad: bool,
    about: &'static str,
    text: String,
}

fn say(address: &str, turns: Vec<Turn>) {
    for Turn { is_bad, about, text } in turns {
        if is_bad {
            log::warn!("Redis at {address}, {about}: {text}.");
        } else {
            log::info!("Redis at {address}, {about}, is well again: {text}.");
        }
    }
}

impl Seen {
    /// Learns what `look` found. What turned since the last one.
    fn learn(&mut self, look: &Look) -> Vec<Turn> {
        let evicted = self.evictions(&look.evicted);
        let mut worst: BTreeMap<&'static str, &Finding> = BTreeMap::new();
        for finding in look.findings.iter().chain(&evicted) {
            let is_watched = WATCHED.contains(&finding.about) || finding.about == EVICTED;
            let known = worst.get(finding.about).map(|it| it.level);
            if is_watched && known.is_none_or(|known| known < finding.level) {
                worst.insert(finding.about, finding);
            }
        }
        let mut turns = Vec::new();
        for (about, Finding { level, text, .. }) in &worst {
            let is_bad = is_bad(about, *level);
            let turned = if is_bad { self.bad.insert(about) } else { self.bad.remove(about) };
            if turned {
                turns.push(Turn { is_bad, about, text: text.clone() });
            }
        }
        let measured = |about| worst.get(about).and_then(|finding| finding.measured);
        self.clock_offset_ms = measured("clock");
        self.round_trip_micros = measured("latency");
        self.levels = worst.iter().map(|(about, finding)| (*about, finding.level)).collect();
        // Who is away for a look is known on: it counts from there when it is back.
        self.evicted.extend(look.evicted.clone());
        turns
    }

    /// How many keys were evicted since the servers started; none where none says so.
    pub(crate) fn evicted(&self) -> Option<u64> {
        let sum = || self.evicted.values().fold(0, |sum: u64, more| sum.saturating_add(*more));
        (!self.evicted.is_empty()).then(sum)
    }

    /// What it says that each of these servers has evicted so many keys by now; nothing where none says.
    fn evictions(&self, now: &BTreeMap<String, u64>) -> Option<Finding> {
        let more = now.iter().map(|(server, now)| match self.evicted.get(server) {
            Some(before) if before <= now => now - before,
            // It is asked for the first time, or was started anew and counts anew.
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

/// Whether an answer is worth a line. A round trip that took long once is not.
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

    /// What is said of these, one look after the other.
    fn said(looks: &[Look]) -> Vec<Vec<(bool, &'static str)>> {
        let mut seen = Seen::default();
        let mut turns = |look: &Look| {
            seen.learn(look).into_iter().map(|turn| (turn.is_bad, turn.about)).collect()
        };
        looks.iter().map(&mut turns).collect()
    }

    #[test]
    fn each_turn_is_said_once() {
        let bad = || look(&[("eviction", Level::Fail), ("clock", Level::Ok)], &[]);
        let good = || look(&[("eviction", Level::Ok), ("clock", Level::Ok)], &[]);
        let said = said(&[good(), bad(), bad(), good(), good(), bad()]);
        let turned = |is_bad| vec![(is_bad, "eviction")];
        let none = Vec::new;
        assert_eq!(said, [none(), turned(true), none(), turned(false), none(), turned(true)]);
    }

    #[test]
    fn of_several_nodes_the_worst_is_said_and_what_is_unknown_is_not() {
        let mixed = look(&[("eviction", Level::Ok), ("eviction", Level::Fail)], &[]);
        let unknown = look(&[], &[]);
        let other = look(&[("version", Level::Fail), ("latency", Level::Warn)], &[]);
        let again = look(&[("eviction", Level::Fail)], &[]);
        let none = Vec::new;
        let expected = [vec![(true, "eviction")], none(), none(), none()];
        assert_eq!(said(&[mixed, unknown, other, again]), expected);
    }

    #[test]
    fn evictions_are_said_when_they_begin_and_when_they_end() {
        let looks = [0, 5, 9, 9, 9, 12, 0].map(|count| look(&[], &[("a", count)]));
        let said = said(&looks);
        let bad: Vec<Option<bool>> =
            said.iter().map(|turns| turns.first().map(|(is_bad, _)| *is_bad)).collect();
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
        // What they evicted before they were asked first is said once.
        let looks = [both(), both(), one(), both(), none(), both()];
        let expected = [bad, good, nothing(), nothing(), nothing(), nothing()];
        assert_eq!(said(&looks), expected);
        // Nor does the count of all fall.
        let mut seen = Seen::default();
        for look in looks {
            seen.learn(&look);
            assert_eq!(seen.evicted(), Some(12));
        }
    }
}
