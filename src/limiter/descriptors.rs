//! Which rule is for a descriptor: all of its entries match, one level after the other.
//!
//! At each level a value by itself comes before a wildcard, the wildcard with the most characters before others, and
//! any wildcard before a key without a value. What a level has chosen holds, even if a later level then finds
//! nothing. Envoy's own rate limit service does the same, except that it takes the first wildcard in its file.

use std::collections::HashMap;

pub(crate) use self::pattern::{DescriptorPattern, EntryPattern};
use self::wildcard::Wildcard;

mod pattern;
mod wildcard;

/// Rules by domain and descriptor.
#[derive(Debug)]
pub(crate) struct DescriptorRules<R> {
    domains: HashMap<Box<str>, Level<R>>,
}

/// The rules that begin with the entries of the levels above.
#[derive(Debug)]
struct Level<R> {
    rule: Option<R>,
    keys: HashMap<Box<str>, OfKey<R>>,
}

/// What follows an entry with one key, by its value.
#[derive(Debug)]
struct OfKey<R> {
    values: HashMap<Box<str>, Level<R>>,
    /// Those with the most characters first.
    wildcards: Vec<(Wildcard, Level<R>)>,
    any: Option<Box<Level<R>>>,
}

impl<R> DescriptorRules<R> {
    /// No rules.
    pub(crate) fn new() -> Self {
        Self { domains: HashMap::new() }
    }

    /// Adds the rule for the descriptors of `domain` that match `pattern`. It takes the place of a rule with the same pattern.
    pub(crate) fn add(&mut self, domain: &str, pattern: &DescriptorPattern, rule: R) {
        let mut level = self.domains.entry(domain.into()).or_default();
        for EntryPattern { key, value } in pattern.entries() {
            level = level.keys.entry(key.as_str().into()).or_default().level_of(value);
        }
        level.rule = Some(rule);
    }

    /// The rule for the descriptor of `domain` with these entries, each a key and its value.
    pub(crate) fn find<'a>(
        &self,
        domain: &str,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Option<&R> {
        let mut level = self.domains.get(domain)?;
        for (key, value) in entries {
            level = level.keys.get(key)?.find(value)?;
        }
        level.rule.as_ref()
    }
}

impl<R> OfKey<R> {
    /// The level after an entry that is written so, which may be new.
    fn level_of(&mut self, value: &Option<Wildcard>) -> &mut Level<R> {
        match value {
            None => self.any.get_or_insert_default(),
            Some(wildcard) => match wildcard.only_value() {
                Some(value) => self.values.entry(value.into()).or_default(),
                None => {
                    let known = self.wildcards.iter().position(|(it, _)| it == wildcard);
                    let index = known.unwrap_or_else(|| {
                        let at =
                            self.wildcards.partition_point(|(it, _)| it.comes_before(wildcard));
                        self.wildcards.insert(at, (wildcard.clone(), Level::default()));
                        at
                    });
                    &mut self.wildcards[index].1
                }
            },
        }
    }

    /// The level after an entry with this value.
    fn find(&self, value: &str) -> Option<&Level<R>> {
        let wildcard = || self.wildcards.iter().find(|(wildcard, _)| wildcard.matches(value));
        self.values
            .get(value)
            .or_else(|| wildcard().map(|(_, level)| level))
            .or(self.any.as_deref())
    }
}

// A derived one would want a default of every rule.
impl<R> Default for Level<R> {
    fn default() -> Self {
        Self { rule: None, keys: HashMap::new() }
    }
}

impl<R> Default for OfKey<R> {
    fn default() -> Self {
        Self { values: HashMap::new(), wildcards: Vec::new(), any: None }
    }
}

#[cfg(test)]
mod tests;
