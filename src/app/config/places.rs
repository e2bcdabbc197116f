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
}
