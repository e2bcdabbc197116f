//! What differs between two configurations, option by option, and when each change takes effect.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::config::OptionValue;
use crate::domain::quota::Quotas;

/// Options that the process reads only when it starts. A name that ends in a dot stands for all options in that
/// table.
pub(super) const READ_AT_START: [&str; 19] = [
    "log.format",
    "server.",
    "admin.listen",
    "gate.listen",
    "gate.tls.",
    "gate.proxy_protocol",
    "gate.max_connections",
    "gate.header_timeout_ms",
    "gate.body_timeout_ms",
    "gate.keep_alive_ms",
    "gate.max_body_bytes",
    "store.url",
    "store.tls.",
    "store.key_prefix",
    "store.timeout_ms",
    "store.idle_timeout_ms",
    "store.examine_interval_ms",
    "store.connections",
    "store.max_keys",
];

/// An option that two configurations set differently.
#[derive(Debug)]
pub(crate) struct Difference {
    /// The option's key, as TOML writes it.
    pub(crate) key: String,
    /// Its value before; `None` where it had its default.
    pub(crate) before: Option<OptionValue>,
    /// Its value now; `None` where it has its default.
    pub(crate) after: Option<OptionValue>,
}

/// When a change takes effect, and what it does to counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// With the reload.
    AtOnce,
    /// With the reload; what was used of the quota stays used.
    KeepsCounts,
    /// With the reload; another window has a count of its own, beside the one of the old window.
    CountsBeside,
    /// With the reload; the keys have other names, and so all counts begin anew.
    CountsAnew,
    /// When the process is started again.
    AtRestart,
}

impl Difference {
    /// When it takes effect.
    pub(crate) fn effect(&self) -> Effect {
        if is_read_at_start(&self.key) {
            return Effect::AtRestart;
        }
        let is_of_descriptor = self.key.starts_with("descriptors.");
        if self.key == "store.hash_users" || (is_of_descriptor && self.key.ends_with(".share")) {
            return Effect::CountsAnew;
        }
        match self.key.strip_prefix("policies.").and_then(|key| key.rsplit_once('.')) {
            Some((_, "algorithm" | "key" | "ipv6_prefix")) => Effect::CountsAnew,
            Some((_, "burst")) => Effect::KeepsCounts,
            Some((_, "timezone" | "week_begins" | "slot_ms")) => Effect::CountsBeside,
            Some(_) => self.effect_of_quotas(),
            None => Effect::AtOnce,
        }
    }

    /// The effect if both values are quotas.
    fn effect_of_quotas(&self) -> Effect {
        let windows = |value: &Option<OptionValue>| {
            let shown = value.as_ref()?.shown();
            // A list of quotas says the same as a text with `;` between them.
            let text = shown.trim_matches(|it| "[]\"".contains(it)).replace("\", \"", ";");
            let quotas: Quotas = text.parse().ok()?;
            let mut windows: Vec<_> = quotas.iter().map(|quota| quota.window()).collect();
            windows.sort_unstable_by_key(|window| window.longest());
            Some(windows)
        };
        match (windows(&self.before), windows(&self.after)) {
            (Some(before), Some(after)) if before == after => Effect::KeepsCounts,
            (Some(_), Some(_)) => Effect::CountsBeside,
            _ => Effect::AtOnce,
        }
    }
}

impl Effect {
    /// What becomes of counters, as a word; `None` if it has nothing to do with them.
    pub(crate) fn of_counts(self) -> Option<&'static str> {
        match self {
            Self::AtOnce | Self::AtRestart => None,
            Self::KeepsCounts => Some("kept"),
            Self::CountsBeside => Some("beside"),
            Self::CountsAnew => Some("anew"),
        }
    }

    /// The effect in words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::AtOnce => "live",
            Self::KeepsCounts => "live; counts are kept",
            Self::CountsBeside => "live; the new window has a count of its own",
            Self::CountsAnew => "live; counts begin anew",
            Self::AtRestart => "at the next restart",
        }
    }
}

/// Whether the process reads the option at `key` only when it starts.
pub(super) fn is_read_at_start(key: &str) -> bool {
    READ_AT_START.iter().any(|read| {
        let table = read.strip_suffix('.');
        key == *read
            || table.is_some_and(|table| key == table)
            || (table.is_some() && key.starts_with(read))
    })
}

/// What differs between the options `before` and `after`, in the order of their keys.
pub(crate) fn differences(
    before: &BTreeMap<String, OptionValue>,
    after: &BTreeMap<String, OptionValue>,
) -> Vec<Difference> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let difference = |key: &String| {
        let (before, after) = (before.get(key), after.get(key));
        let is_same = match (before, after) {
            (Some(before), Some(after)) => before.is_same(after),
            _ => false,
        };
        let (before, after) = (before.cloned(), after.cloned());
        (!is_same).then(|| Difference { key: key.clone(), before, after })
    };
    keys.into_iter().filter_map(difference).collect()
}

#[cfg(test)]
mod tests;
