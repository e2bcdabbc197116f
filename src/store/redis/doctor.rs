//! Examines a Redis before it is relied on. Each finding is the answer to one question, asked of every
//! server that keys may live on.

use std::time::Instant;

use self::examiner::{Examiner, connect};
use self::finding::Findings;
pub(crate) use self::finding::{Finding, Level};
use self::role::Role;
use self::subject::Subject;
use self::timing::{Took, micros};
pub(crate) use self::watch::{Look, look};
use super::error::connect_error;
use super::health::cause::{Cause, Described};
use super::options::RedisOptions;
use super::recovery::probe::Probe;
use crate::domain::clock::Clock;
use crate::store::StoreError;

mod charges;
mod cluster;
mod examiner;
mod finding;
mod info;
mod permissions;
mod role;
mod subject;
mod timing;
mod topology;
mod watch;

/// Asks every Redis of `options` all questions, and compares its clock with `clock`. A server that
/// cannot be connected to is asked nothing more. It charges keys that no identity has, and forgets them. If requests hold
/// slots, it asks for what these need as well.
///
/// # Errors
/// When the URL is not that of a Redis, or TLS cannot be set up.
pub(crate) fn examine(
    options: &RedisOptions,
    holds_slots: bool,
    clock: &dyn Clock,
) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Findings::default();
    let url = options.parse_url()?;
    let subjects = topology::subjects(url.topology(), options, &mut findings)?;
    let mut of_each = Vec::with_capacity(subjects.len());
    for subject in subjects {
        of_each.push((subject.name.clone(), examine_one(subject, options, holds_slots, clock)?));
    }
    findings.join(of_each);
    Ok(findings.0)
}

fn examine_one(
    subject: Subject,
    options: &RedisOptions,
    holds_slots: bool,
    clock: &dyn Clock,
) -> Result<Findings, StoreError> {
    let mut findings = Findings::default();
    let begun = Instant::now();
    let connection = match connect(&subject.connector) {
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
            findings.fail("reachable", format!("it {}. {remedy}", Described(&error)));
            return Ok(findings);
        }
    };
    // The key has a hash tag that is examined, so that a node of a cluster has it.
    let key_prefix = subject.prefixes(&options.key_prefix).next();
    let key_prefix = key_prefix.unwrap_or_else(|| options.key_prefix.clone());
    let probed =
        if subject.connector.is_member() { key_prefix.clone() } else { options.key_prefix.clone() };
    let probe = Probe::new(subject.connector.clone(), &options.clone().key_prefix(probed))?;
    let mut examiner = Examiner { connection, options, subject, key_prefix, findings };
    if examiner.role() == Role::Sentinel {
        return Ok(examiner.findings);
    }
    examiner.permissions(holds_slots);
    examiner.time();
    examiner.counts(&probe);
    examiner.info();
    examiner.clocks(clock);
    examiner.latency();
    Ok(examiner.findings)
}

#[cfg(test)]
mod tests;
