//! Reads a whole configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::config::{Map, Value, ValueKind};

use super::error::{ConfigError, ConfigErrors};
use super::layers;
use super::layers::Sources;
use super::leaf::Leaf;
use super::option_value::{OptionValue, option_values};
use super::options::Config;
use super::resolve;
use super::words::key_of;

/// The options that name a file whose contents are read with the configuration, and again with each reload.
const NAME_FILES: [&[&str]; 6] = [
    &["auth", "keys_file"],
    &["auth", "jwt", "key_file"],
    &["auth", "jwt", "jwks_file"],
    &["refusals", FILES_OF_BODIES[0]],
    &["refusals", FILES_OF_BODIES[1]],
    &["refusals", FILES_OF_BODIES[2]],
];

/// The same, in the table `refusal` of any policy too.
const FILES_OF_BODIES: [&str; 3] = ["text_file", "html_file", "json_file"];

/// Reads a configuration. It reads the files that it names, and touches nothing else.
///
/// # Errors
/// With every error in any layer, if there is one.
pub(crate) fn load(sources: &Sources) -> Result<Config, ConfigErrors> {
    RawConfig::read(sources).check()
}

/// What the layers of a configuration say together, before it is checked.
#[derive(Debug)]
pub(crate) struct RawConfig {
    tables: Map<String, Value>,
    errors: Vec<ConfigError>,
}

impl RawConfig {
    /// Reads the layers.
    pub(crate) fn read(sources: &Sources) -> Self {
        let (tables, errors) = layers::read(sources);
        Self { tables, errors }
    }

    /// Every option that is set, by its key.
    pub(crate) fn options(&self) -> BTreeMap<String, OptionValue> {
        option_values(&self.tables)
    }

    /// The files that options name, each with the key of its option.
    pub(crate) fn named_files(&self) -> Vec<(String, PathBuf)> {
        let file = |names: &[&str]| {
            let value = value_at(&self.tables, names)?.clone();
            let key = key_of(names);
            let path = Leaf::new(key.clone(), value).path().ok()?;
            Some((key, path))
        };
        let in_fixed_places = NAME_FILES.iter().filter_map(|names| file(names));
        let policies = match self.tables.get("policies").map(|value| &value.kind) {
            Some(ValueKind::Table(policies)) => policies.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let of_policies = policies.into_iter().flat_map(|policy| {
            FILES_OF_BODIES.map(|name| file(&["policies", policy, "refusal", name]))
        });
        in_fixed_places.chain(of_policies.flatten()).collect()
    }

    /// Checks types, ranges, and what refers to what.
    ///
    /// # Errors
    /// With every error in any layer, if there is one.
    pub(crate) fn check(self) -> Result<Config, ConfigErrors> {
        resolve::config(self.tables, self.errors)
    }
}

fn value_at<'a>(tables: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let (last, tables_on_the_way) = names.split_last()?;
    let mut table = tables;
    for name in tables_on_the_way {
        table = match &table.get(*name)?.kind {
            ValueKind::Table(inner) => inner,
            _ => return None,
        };
    }
    table.get(*last)
}
