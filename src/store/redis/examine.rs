//! What there is to know of a Redis before it is relied on: one finding for each question.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{Cmd, FromRedisValue, RedisResult, cmd};

use self::finding::Findings;
pub(crate) use self::finding::{Finding, Level};
use super::cause::{Cause, Says};
use super::pool::Connection;
use super::probe::Probe;
use super::servers::url_of;
use super::{RedisOptions, StoreError, connect_error, script, store_error};
use crate::clock::{Clock, Millis};
use crate::store::Keyspace;

mod finding;
mod topology;

/// How many round trips are timed.
const ROUND_TRIPS: usize = 51;

/// Clocks further apart than this count other windows.
const MOST_APART: Millis = 100;

/// The last version that lacks what the script asks for (`SET` with `KEEPTTL`), and the oldest that
/// the tests run on.
const TOO_OLD: u32 = 5;
const TESTED: u32 = 7;

/// Asks the Redis of `options` every question, by `clock`; stops where it cannot be asked more.
/// It charges no key but the one of the probe.
pub(crate) fn examine(
    options: &RedisOptions,
    clock: &dyn Clock,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Findings::default();
    let url = url_of(options)?;
    let connector = topology::connector(url.topology(), options, &mut findings)?;
    let begun = Instant::now();
    let connection = match connector.bare().and_then(greet) {
        Ok(connection) => {
            findings.ok("reachable", format!("connected in {}", Took(begun.elapsed())));
            connection
        }
        Err(error) => {
            let error = connect_error(error);
            findings
                .fail("reachable", format!("it {}. {}", Says(&error), Cause::of(&error).remedy()));
            return Ok(findings.0);
        }
    };
    let probe = Probe::new(connector, options)?;
    let besides = topology::commands(url.topology());
    let examiner = Examiner { connection, options, besides, findings };
    Ok(examiner.run(&probe, clock))
}

/// That it takes commands: a password that is missing shows only now.
fn greet(mut connection: Connection) -> RedisResult<Connection> {
    connection.run(|it| cmd("TIME").exec(it)).or_else(|error| match Cause::of_reply(&error) {
        Cause::Permission => Ok(()),
        _ => Err(error),
    })?;
    Ok(connection)
}

struct Examiner<'a> {
    connection: Connection,
    options: &'a RedisOptions,
    /// What its user must be permitted besides what the script calls.
    besides: Vec<(&'static str, Cmd)>,
    findings: Findings,
}

impl Examiner<'_> {
    fn run(mut self, probe: &Probe, clock: &dyn Clock) -> Vec<Finding> {
        self.permissions();
        self.time();
        self.counts(probe);
        let info: Option<String> = self.ask(&cmd("INFO")).ok();
        match &info {
            Some(info) => {
                self.version(info);
                self.eviction(info);
                self.persistence(info);
            }
            None => self.findings.warn(
                "server",
                "version, eviction and persistence are unknown: its user may not run INFO, which \
                 counting does not need",
            ),
        }
        self.clocks(clock);
        self.latency();
        self.findings.0
    }

    fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        self.connection.run(|connection| command.query(connection))
    }

    /// Tries each command on a key of its own, since a script is not told what it is refused.
    fn permissions(&mut self) {
        let key = Keyspace::new(&self.options.key_prefix).examination();
        let mut missing = Vec::new();
        let besides = std::mem::take(&mut self.besides);
        for (name, command) in script::commands(&key).into_iter().chain(besides) {
            let answer = self.ask::<redis::Value>(&command);
            if answer.is_err_and(|error| Cause::of_reply(&error) == Cause::Permission) {
                missing.push(name);
            }
        }
        if missing.is_empty() {
            self.findings.ok("permissions", "its user may run every command that counting needs");
        } else {
            self.findings.fail(
                "permissions",
                format!(
                    "its user needs {}, on keys {}:*",
                    missing.join(" "),
                    self.options.key_prefix
                ),
            );
        }
    }

    fn time(&mut self) {
        if script::time_is_refused(&mut self.connection) {
            self.findings.fail("time", format!("{}. {}", Cause::Time.says(), Cause::Time.remedy()));
        } else {
            self.findings.ok("time", "scripts may call TIME");
        }
    }

    fn counts(&mut self, probe: &Probe) {
        match probe.run(0) {
            Ok(_) => self.findings.ok("counting", "every algorithm counts there"),
            Err(error) => {
                let remedy = Cause::of(&error).remedy();
                self.findings.fail("counting", format!("it {}. {remedy}", Says(&error)));
            }
        }
    }

    fn version(&mut self, info: &str) {
        let valkey = field(info, "valkey_version");
        let name = if valkey.is_some() { "Valkey" } else { "Redis" };
        let version = valkey.or_else(|| field(info, "redis_version")).unwrap_or("unknown");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(..=TOO_OLD) => self.findings.fail(
                "version",
                format!("{name} {version}: it does not know SET with KEEPTTL, take 7.0 or later"),
            ),
            Some(TESTED..) => self.findings.ok("version", format!("{name} {version}")),
            _ => self
                .findings
                .warn("version", format!("{name} {version} is not tested, take 7.0 or later")),
        }
    }

    fn eviction(&mut self, info: &str) {
        let policy = field(info, "maxmemory_policy").unwrap_or("unknown");
        let limit = field(info, "maxmemory").and_then(|it| it.parse::<u64>().ok());
        match (policy, limit) {
            ("noeviction", _) => self.findings.ok("eviction", "noeviction: no count is forgotten"),
            (_, Some(0)) => self.findings.warn(
                "eviction",
                format!("{policy}, but no maxmemory is set: with one, counts would be forgotten; set noeviction"),
            ),
            _ => self.findings.fail(
                "eviction",
                format!(
                    "{policy}: when its memory is full, counts are forgotten, as each has a TTL; set noeviction"
                ),
            ),
        }
    }

    fn persistence(&mut self, info: &str) {
        let saves: RedisResult<(String, String)> = self.ask(cmd("CONFIG").arg("GET").arg("save"));
        match (field(info, "aof_enabled"), saves) {
            (Some("1"), _) => self.findings.ok("persistence", "append-only file"),
            (_, Ok((_, save))) if save.is_empty() => {
                self.findings.warn("persistence", "none: a restart forgets what was used");
            }
            (_, Ok((_, save))) => self.findings.warn(
                "persistence",
                format!("snapshots ({save}): a restart forgets what was used since the last"),
            ),
            (_, Err(_)) => self
                .findings
                .warn("persistence", "no append-only file: a restart may forget what was used"),
        }
    }

    fn clocks(&mut self, clock: &dyn Clock) {
        let before = clock.now();
        let Ok((seconds, micros)) = self.ask::<(Millis, Millis)>(&cmd("TIME")) else {
            self.findings.warn("clock", "unknown: its user may not run TIME");
            return;
        };
        let after = clock.now();
        let (there, here) = (seconds * 1_000 + micros / 1_000, before.midpoint(after));
        let apart = there.abs_diff(here).saturating_sub(after.saturating_sub(before));
        let text = format!("{apart} ms apart from this host's");
        if apart > MOST_APART {
            let why =
                "windows that are counted here in an outage begin at other times; set both by NTP";
            self.findings.warn("clock", format!("{text}: {why}"));
        } else {
            self.findings.ok("clock", text);
        }
    }

    fn latency(&mut self) {
        let mut times = Vec::with_capacity(ROUND_TRIPS);
        for _ in 0..ROUND_TRIPS {
            let begun = Instant::now();
            match self.ask::<redis::Value>(&cmd("TIME")).map_err(store_error) {
                // That it may not be asked is an answer, too.
                Err(error) if Cause::of(&error) != Cause::Permission => {
                    self.findings.fail("latency", format!("it {}", Says(&error)));
                    return;
                }
                _ => times.push(begun.elapsed()),
            }
        }
        times.sort_unstable();
        let (median, worst) = (times[ROUND_TRIPS / 2], times[ROUND_TRIPS - 1]);
        let limit = self.options.timeout;
        let text = format!(
            "median {}, worst {} of {ROUND_TRIPS} round trips; store.timeout_ms is {}",
            Took(median),
            Took(worst),
            limit.as_millis()
        );
        if median > limit / 4 {
            self.findings.fail("latency", format!("{text}: too near to it, raise it"));
        } else if worst > limit / 2 {
            self.findings.warn("latency", text);
        } else {
            self.findings.ok("latency", text);
        }
    }
}

/// The value of `name` in what `INFO` says.
fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    info.lines().find_map(value).map(str::trim)
}

/// A time in milliseconds.
struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1_000.0)
    }
}

#[cfg(test)]
mod tests;
