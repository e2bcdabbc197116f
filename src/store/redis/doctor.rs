//! What there is to know of a Redis before it is relied on: one finding for each question, asked of
//! every server that keys may live on.

use std::fmt;
use std::time::{Duration, Instant};

use redis::{Cmd, FromRedisValue, RedisResult, Value, cmd};

use self::finding::Findings;
pub(crate) use self::finding::{Finding, Level};
use self::topology::Subject;
pub(crate) use self::watch::{Look, look};
use super::error::is_of_a_key;
use super::error::{connect_error, store_error};
use super::health::cause::{Cause, Says};
use super::node::pool::Connection;
use super::options::RedisOptions;
use super::recovery::probe::Probe;
use super::script;
use crate::domain::clock::{Clock, Millis};
use crate::store::Keyspace;
use crate::store::StoreError;

mod charges;
mod cluster;
mod finding;
mod info;
mod topology;
mod watch;

/// How many round trips are timed.
const ROUND_TRIPS: usize = 51;

/// Clocks further apart than this count other windows.
const MOST_APART: Millis = 100;

/// Asks every Redis of `options` every question, by `clock`; stops where one cannot be asked more.
/// It charges keys that no identity has, and forgets them.
pub(crate) fn examine(
    options: &RedisOptions,
    clock: &dyn Clock,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Findings::default();
    let url = options.parse_url()?;
    let subjects = topology::subjects(url.topology(), options, &mut findings)?;
    let mut of_each = Vec::with_capacity(subjects.len());
    for subject in subjects {
        of_each.push((subject.name.clone(), examine_one(subject, options, clock)?));
    }
    findings.join(of_each);
    Ok(findings.0)
}

fn examine_one(
    subject: Subject,
    options: &RedisOptions,
    clock: &dyn Clock,
) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    let begun = Instant::now();
    let connection = match subject.connector.bare().and_then(greet) {
        Ok(connection) => {
            let took = begun.elapsed();
            let text = format!("connected in {}", Took(took));
            findings.measured(Level::Ok, "reachable", text, micros(took));
            connection
        }
        Err(error) => {
            let error = connect_error(error);
            let remedy = match Cause::of(&error) {
                Cause::Permission => "It needs +select where the database is not 0.",
                cause => cause.remedy(),
            };
            findings.fail("reachable", format!("it {}. {remedy}", Says(&error)));
            return Ok(findings);
        }
    };
    // As those that it charges, so that a node of a cluster has it.
    let key_prefix = subject.prefixes(&options.key_prefix).next();
    let key_prefix = key_prefix.unwrap_or_else(|| options.key_prefix.clone());
    let probes =
        if subject.connector.is_member() { key_prefix.clone() } else { options.key_prefix.clone() };
    let probe = Probe::new(subject.connector.clone(), &options.clone().key_prefix(probes))?;
    let examiner = Examiner { connection, options, subject, key_prefix, findings };
    Ok(examiner.run(&probe, clock))
}

/// That it takes commands: a password that is missing shows only now.
fn greet(mut connection: Connection) -> RedisResult<Connection> {
    connection.run(|it| cmd("TIME").exec(it)).or_else(|error| match Cause::of_reply(&error) {
        // Whoever does not know it is asked on: that is found where commands are tried.
        Cause::Permission | Cause::Command => Ok(()),
        _ => Err(error),
    })?;
    Ok(connection)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Sentinel,
}

/// A command as one writes it, of the rule that permits it.
fn name_of(rule: &str) -> String {
    rule.trim_start_matches('+').replace('|', " ").to_uppercase()
}

struct Examiner<'a> {
    connection: Connection,
    options: &'a RedisOptions,
    subject: Subject,
    /// What a key of its own begins with.
    key_prefix: String,
    findings: Findings,
}

impl Examiner<'_> {
    fn run(mut self, probe: &Probe, clock: &dyn Clock) -> Findings {
        if self.role() == Role::Sentinel {
            return self.findings;
        }
        self.permissions();
        self.time();
        self.counts(probe);
        self.info();
        self.clocks(clock);
        self.latency();
        self.findings
    }

    fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        self.connection.run(|connection| command.query(connection))
    }

    /// What it says that it is; nothing is found where it may not be asked.
    fn role(&mut self) -> Role {
        let said: Vec<Value> = self.ask(&cmd("ROLE")).unwrap_or_default();
        let word = |index: usize| {
            let word = said.get(index).cloned().map(String::from_redis_value);
            word.and_then(Result::ok).unwrap_or_default()
        };
        match word(0).as_str() {
            "sentinel" => {
                self.findings.fail(
                    "role",
                    "it is a sentinel. Write store.url as redis+sentinel://host:port/name.",
                );
                return Role::Sentinel;
            }
            "slave" => {
                let text = format!(
                    "it is a read-only replica of {}:{}. Point store.url at the primary.",
                    word(1),
                    word(2)
                );
                self.findings.fail("role", text);
            }
            "master" => {
                let replicas = said.get(2).cloned().map(Vec::<Value>::from_redis_value);
                let count = replicas.and_then(Result::ok).unwrap_or_default().len();
                let text = match count {
                    0 => "a primary without a replica".to_owned(),
                    1 => "a primary with 1 replica".to_owned(),
                    count => format!("a primary with {count} replicas"),
                };
                self.findings.ok("role", text);
            }
            _ => {}
        }
        Role::Server
    }

    /// Tries each command on a key of its own, since a script is not told what it is refused.
    fn permissions(&mut self) {
        let key = Keyspace::new(&self.key_prefix).examination();
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        let besides = std::mem::take(&mut self.subject.besides);
        for (rule, command) in script::commands(&key).into_iter().chain(besides) {
            let Err(error) = self.ask::<Value>(&command).map_err(store_error) else { continue };
            match Cause::of(&error) {
                // Which keys its user may touch is seen where they are charged.
                Cause::Permission if !is_of_a_key(&error) => missing.push(rule),
                Cause::Command => unknown.push(name_of(rule)),
                _ => {}
            }
        }
        if !unknown.is_empty() {
            let text = format!(
                "it does not know {}: see rename-command in its configuration",
                unknown.join(", ")
            );
            self.findings.fail("commands", text);
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
            self.findings.measured(Level::Warn, "clock", format!("{text}: {why}"), apart);
        } else {
            self.findings.measured(Level::Ok, "clock", text, apart);
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
        let (level, text) = if median > limit / 4 {
            (Level::Fail, format!("{text}: too near to it, raise it"))
        } else if worst > limit / 2 {
            (Level::Warn, text)
        } else {
            (Level::Ok, text)
        };
        self.findings.measured(level, "latency", text, micros(worst));
    }
}

fn micros(length: Duration) -> u64 {
    u64::try_from(length.as_micros()).unwrap_or(u64::MAX)
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
