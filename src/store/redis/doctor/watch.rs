//! Looks again and again at what may change while requests are served.

use std::collections::BTreeMap;

use super::examiner::{Examiner, connect};
use super::finding::{Finding, Findings, Level};
use super::subject::Subject;
use super::topology;
use crate::domain::clock::Clock;
use crate::store::StoreError;
use crate::store::redis::options::RedisOptions;

/// What was found at one moment.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The findings, with those of several nodes joined. Unknown answers are left out.
    pub(crate) findings: Vec<Finding>,
    /// How many keys each server has evicted since it started. Servers that do not say are left out.
    pub(crate) evicted: BTreeMap<String, u64>,
}

/// Looks at every Redis of `options` that answers, and compares its clock with `clock`. It charges
/// nothing.
///
/// # Errors
/// When the URL is not that of a Redis, or TLS cannot be set up.
pub(crate) fn look(options: &RedisOptions, clock: &dyn Clock) -> Result<Look, StoreError> {
    let mut findings = Findings::default();
    let url = options.parse_url()?;
    let subjects = topology::subjects(url.topology(), options, &mut Findings::default())?;
    let mut of_each = Vec::new();
    let mut evicted = BTreeMap::new();
    for subject in subjects {
        let name = subject.name.clone();
        // A server that does not answer is taken down by the requests, which log that.
        let Some((found, more)) = look_at(subject, options, clock) else { continue };
        evicted.extend(more.map(|more| (name.clone(), more)));
        of_each.push((name, found));
    }
    if !of_each.is_empty() {
        findings.join(of_each);
    }
    findings.0.retain(is_known);
    Ok(Look { findings: findings.0, evicted })
}

fn look_at(
    subject: Subject,
    options: &RedisOptions,
    clock: &dyn Clock,
) -> Option<(Findings, Option<u64>)> {
    let connection = connect(&subject.connector).ok()?;
    let key_prefix = options.key_prefix.clone();
    let findings = Findings::default();
    let mut examiner = Examiner { connection, options, subject, key_prefix, findings };
    let evicted = examiner.info();
    examiner.clocks(clock);
    examiner.latency();
    Some((examiner.findings, evicted))
}

/// Whether `finding` answers its question.
fn is_known(finding: &Finding) -> bool {
    match finding.about {
        "clock" | "latency" => finding.measured.is_some() || finding.level == Level::Fail,
        about => about != "server",
    }
}
