//! What the configuration of Envoy's own rate limit service is in Tollgate.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::error::ImportError;
use super::names::Names;
use super::ratelimit_yaml::{Node, RateLimit, RatelimitConfig};
use crate::domain::quota::Quota;
use crate::limiter::{DescriptorPattern, EntryPattern};

const DAY: u64 = 86_400_000;

/// The windows of limits, by their names.
const UNITS: [(&str, u64); 7] = [
    ("second", 1_000),
    ("minute", 60_000),
    ("hour", 3_600_000),
    ("day", DAY),
    ("week", 7 * DAY),
    ("month", 30 * DAY),
    ("year", 365 * DAY),
];

/// The descriptors of another configuration, by domain.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(super) files: Vec<String>,
    pub(super) domains: BTreeMap<String, Vec<ImportedDescriptor>>,
    /// What is to be said of a domain as a whole.
    pub(super) notes: BTreeMap<String, Vec<String>>,
}

/// One descriptor.
#[derive(Debug)]
pub(super) struct ImportedDescriptor {
    pub(super) pattern: DescriptorPattern,
    pub(super) limit: Limit,
    pub(super) share: Vec<String>,
    /// What has no counterpart, or another meaning.
    pub(super) notes: Vec<String>,
}

/// What a descriptor is limited to.
#[derive(Debug)]
pub(super) enum Limit {
    /// A policy, and whether it is only tried out.
    Policy {
        name: String,
        quota: Quota,
        is_shadow: bool,
    },
    Unlimited,
    Refused,
}

impl Imported {
    /// How many notes there are.
    pub(crate) fn notes(&self) -> usize {
        let of_descriptors = self.domains.values().flatten().map(|it| it.notes.len());
        of_descriptors.chain(self.notes.values().map(Vec::len)).sum()
    }
}

/// What `configs` are in Tollgate.
///
/// # Errors
/// If the service itself would refuse them.
pub(crate) fn converted(configs: &[RatelimitConfig]) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let mut names = Names::new();
    for config in configs {
        let file = config.file.clone();
        let domain = &config.domain;
        if imported.domains.contains_key(domain) {
            let note = format!(
                "{file} has this domain as well; the service needs MERGE_DOMAIN_CONFIG for that"
            );
            imported.notes.entry(domain.clone()).or_default().push(note);
        }
        let descriptors = imported.domains.entry(domain.clone()).or_default();
        let mut walk = Walk { config, names: &mut names, descriptors, path: Vec::new() };
        walk.level(&config.descriptors)?;
        imported.files.push(file);
    }
    for (domain, descriptors) in &mut imported.domains {
        let mut seen = HashSet::new();
        let twice = descriptors.iter().find(|it| !seen.insert(&it.pattern));
        if let Some(twice) = twice {
            let why = format!("the domain {domain:?} has the descriptor {} twice", twice.pattern);
            return Err(ImportError::invalid(&imported.files.join(", "), why));
        }
    }
    Ok(imported)
}

/// A walk through the entries of a configuration.
struct Walk<'a> {
    config: &'a RatelimitConfig,
    names: &'a mut Names,
    descriptors: &'a mut Vec<ImportedDescriptor>,
    /// The entries from the first level to the present one.
    path: Vec<&'a Node>,
}

impl<'a> Walk<'a> {
    fn level(&mut self, nodes: &'a [Node]) -> Result<(), ImportError> {
        let mut wildcards: HashMap<&str, usize> = HashMap::new();
        for node in nodes.iter().filter(|node| has_star(node)) {
            *wildcards.entry(&node.key).or_default() += 1;
        }
        for node in nodes {
            if node.key.is_empty() {
                return Err(self.invalid("a descriptor has an empty key"));
            }
            if node.share_threshold && !has_star(node) {
                return Err(self.invalid(&format!(
                    "share_threshold of {:?} needs a value with a star",
                    node.key
                )));
            }
            self.path.push(node);
            // A node that ends nothing still takes requests away from others of its level.
            if node.rate_limit.is_some() || node.descriptors.is_empty() {
                let mut descriptor = self.descriptor(node)?;
                if has_star(node) && wildcards.get(node.key.as_str()).is_some_and(|it| *it > 1) {
                    descriptor.notes.push(
                        "of several values with stars that match, the longest holds here, and the first there"
                            .to_owned(),
                    );
                }
                self.descriptors.push(descriptor);
            } else {
                self.note_unused_flags(node)?;
            }
            self.level(&node.descriptors)?;
            self.path.pop();
        }
        Ok(())
    }

    fn descriptor(&mut self, node: &Node) -> Result<ImportedDescriptor, ImportError> {
        let entries = self.path.iter().map(|node| entry(node));
        let pattern = DescriptorPattern::of(entries);
        let mut notes = notes(node);
        let limit = match &node.rate_limit {
            None => Limit::Unlimited,
            Some(limit) => self.limit(node, limit, &mut notes)?,
        };
        let sharing = self.path.iter().filter(|node| node.share_threshold);
        let share: Vec<String> = sharing.map(|node| node.key.clone()).collect();
        for key in &share {
            if self.path.iter().filter(|node| node.key == *key).count() > 1 {
                notes.push(format!(
                    "the values of every entry {key:?} share a count here, and of one alone there"
                ));
            }
        }
        Ok(ImportedDescriptor { pattern, limit, share, notes })
    }

    fn limit(
        &mut self,
        node: &Node,
        limit: &RateLimit,
        notes: &mut Vec<String>,
    ) -> Result<Limit, ImportError> {
        let unit = limit.unit.as_deref().unwrap_or_default().to_lowercase();
        let window = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, window)| *window);
        for replaced in &limit.replaces {
            if replaced.name.is_empty() || Some(&replaced.name) == limit.name.as_ref() {
                return Err(self.invalid("replaces has an empty name, or that of its own limit"));
            }
            notes.push(format!(
                "this limit replaces {:?} there where a request has both; here both count",
                replaced.name
            ));
        }
        if limit.unlimited {
            return match window {
                None => Ok(Limit::Unlimited),
                Some(_) => Err(self.invalid("a limit is unlimited, and has a unit")),
            };
        }
        let Some(window) = window else {
            return Err(self.invalid(&format!("{unit:?} is no unit of a limit")));
        };
        if limit.requests_per_unit == 0 {
            if node.shadow_mode {
                notes.push("0 requests in shadow mode: every request passes".to_owned());
                return Ok(Limit::Unlimited);
            }
            return Ok(Limit::Refused);
        }
        let quota = Quota::new(limit.requests_per_unit.into(), window);
        let quota = quota.map_err(|error| self.invalid(&error.to_string()))?;
        if matches!(unit.as_str(), "month" | "year") {
            notes.push(format!(
                "a {unit} has {} days, here and there; \"{}/{unit}\" would end with the calendar's",
                window / DAY,
                limit.requests_per_unit
            ));
        }
        let named = limit.name.as_deref().filter(|name| !name.is_empty());
        let path = self.path.iter().flat_map(|node| {
            [Some(node.key.as_str()), node.value.as_deref()].into_iter().flatten()
        });
        let name = match named {
            Some(name) => self.names.like([name]),
            None => self.names.like(std::iter::once(self.config.domain.as_str()).chain(path)),
        };
        Ok(Limit::Policy { name, quota, is_shadow: node.shadow_mode })
    }

    /// # Errors
    /// If a node that ends nothing is to be counted in a way of its own.
    fn note_unused_flags(&self, node: &Node) -> Result<(), ImportError> {
        match node.shadow_mode || node.quota_mode {
            false => Ok(()),
            true => Err(self.invalid(&format!(
                "{:?} has shadow_mode or quota_mode, but no rate_limit",
                node.key
            ))),
        }
    }

    fn invalid(&self, why: &str) -> ImportError {
        ImportError::invalid(&self.config.file, why)
    }
}

fn has_star(node: &Node) -> bool {
    node.value.as_deref().is_some_and(|value| value.contains('*'))
}

/// The entry that a node matches. An empty value is every value.
fn entry(node: &Node) -> EntryPattern {
    let value = node.value.as_deref().filter(|value| !value.is_empty());
    EntryPattern::new(&node.key, value.map(|value| value.split('*')))
}

/// What of a node has no counterpart.
fn notes(node: &Node) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |is_set, text: &str| {
        if is_set {
            notes.push(text.to_owned());
        }
    };
    note(
        node.quota_mode,
        "quota_mode has no counterpart: there a request is over the limit only if all such limits are, here if any is",
    );
    note(
        node.detailed_metric || node.value_to_metric,
        "detailed_metric and value_to_metric have no counterpart: metrics are labelled with policies",
    );
    note(node.metadata.is_some(), "metadata has no counterpart");
    notes
}
