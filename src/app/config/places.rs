//! Where each option was set, for people who look for the number that they see.

use std::collections::BTreeMap;

use super::option_value::OptionValue;

/// Where each option was set, by its key as TOML writes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<String, String>);

impl Places {
    /// The places of `options`.
    pub(crate) fn of(options: &BTreeMap<String, OptionValue>) -> Self {
        let set = options.iter().filter(|(_, value)| !value.is_default());
        Self(set.map(|(key, value)| (key.clone(), value.origin().to_string())).collect())
    }

    /// Where the option `key` was set: a file and a line, a variable, the command line, or the built-in defaults.
    pub(crate) fn of_option(&self, key: &str) -> &str {
        self.0.get(key).map_or("the built-in defaults", String::as_str)
    }

    /// Where an option of the table `table` was set, whose name `is_meant`. It may be written in several ways.
    pub(crate) fn of_option_in(&self, table: &str, is_meant: impl Fn(&str) -> bool) -> &str {
        let prefix = format!("{table}.");
        let options = self.0.range(prefix.clone()..);
        let mut options =
            options.map_while(|(key, place)| Some((key.strip_prefix(&prefix)?, place)));
        let found = options.find(|(name, _)| is_meant(name.trim_matches('"')));
        found.map_or("the built-in defaults", |(_, place)| place)
    }
}
