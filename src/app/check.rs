//! `tollgate check`: finds what a valid configuration probably does not mean. Every finding is certain from the
//! configuration alone, or says that it is a guess.

pub(crate) use self::finding::Report;
use self::policies::Policies;
use crate::app::config::{ConfigErrors, RawConfig, Sources};

mod access;
mod bounds;
mod descriptors;
mod finding;
mod headers;
mod keys;
mod leases;
mod logins;
mod outcomes;
mod penalties;
mod policies;
mod proxies;
mod quotas;
mod routes;
mod slots;
mod stores;
mod windows;

/// Examines the configuration of `sources`. Nothing but its files is read.
///
/// # Errors
/// With everything that is wrong with it, if it is not valid.
pub(crate) fn examine(sources: &Sources) -> Result<Report, ConfigErrors> {
    let raw = RawConfig::read(sources);
    let options = raw.options();
    let config = raw.check()?;
    let policies = Policies::of(&config);
    let mut findings = Vec::new();
    quotas::examine(&policies, &mut findings);
    policies::examine(&policies, &options, &mut findings);
    policies::examine_trials(&policies, &mut findings);
    routes::examine(&policies, &mut findings);
    slots::examine(&policies, &mut findings);
    keys::examine(&policies, &mut findings);
    descriptors::examine(&config, &mut findings);
    leases::examine(&policies, &mut findings);
    logins::examine(&policies, &mut findings);
    outcomes::examine(&policies, &mut findings);
    penalties::examine(&policies, &mut findings);
    proxies::examine(&config, &mut findings);
    access::examine(&config, &mut findings);
    headers::examine(&config, &mut findings);
    stores::examine(&policies, &mut findings);
    windows::examine(&policies, &mut findings);
    Ok(Report::new(findings, &options))
}

#[cfg(test)]
mod tests;
