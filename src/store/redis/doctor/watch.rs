//! What of it may change while requests are served, and is looked at again and again.

use std::collections::BTreeMap;

use super::finding::{Finding, Findings};
use super::topology::{self, Subject};
use super::{Examiner, Level, greet};
use crate::domain::clock::Clock;
use crate::store::StoreError;
use crate::store::redis::options::RedisOptions;

/// What there is to say of the store at one moment.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// The findings, those of several nodes joined; those that are unknown are not there.
    pub(crate) findings: Vec<Finding>,
    /// How many keys each server has evicted since it started; those are missing that do not say.
    pub(crate) evicted: BTreeMap<String, u64>,
}

/// Looks at every Redis of `options` that can be asked, by `clock`, and charges nothing.
///
/// # Errors
/// When its URL is none, or its servers cannot be found.
pub(crate) fn look(options: &RedisOptions, clock: &dyn Clock) -> Result<Look, StoreError> {
    let mut findings = Findings::default();
    let url = options.parse_url()?;
    let subjects = topology::subjects(url.topology(), options, &mut Findings::default())?;
    let mut of_each = Vec::new();
    let mut evicted = BTreeMap::new();
    for subject in subjects {
        let name = subject.name.clone();
        // Who does not answer is given up by the requests, which say so.
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
    let connection = subject.connector.bare().and_then(greet).ok()?;
    let key_prefix = options.key_prefix.clone();
    let findings = Findings::default();
    let mut examiner = Examiner { connection, options, subject, key_prefix, findings };
    let evicted = examiner.info();
    examiner.clocks(clock);
    examiner.latency();
    Some((examiner.findings, evicted))
}

/// Whether it is an answer to its question.
fn is_known(finding: &Finding) -> bool {
    match finding.about {
        "clock" | "latency" => finding.measured.is_some() || finding.level == Level::Fail,
        about => about != "server",
    }
}
