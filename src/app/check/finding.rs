//! What a check finds: a code, the option, the reason, and the line that would be better.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::app::config::OptionValue;

/// Something that a valid configuration probably does not mean.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The same for every finding of its kind, in every version.
    pub(super) code: &'static str,
    /// The key of the option, as TOML writes it.
    pub(super) option: String,
    /// The reason, with its numbers.
    pub(super) reason: String,
    /// TOML that silences the finding.
    pub(super) better: String,
}

/// All findings, each with its place.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Placed>,
}

/// A finding, with the place of its option.
#[derive(Debug, Serialize)]
pub(crate) struct Placed {
    pub(crate) code: &'static str,
    pub(crate) option: String,
    /// The file of the option; `None` if it was set elsewhere.
    pub(crate) file: Option<String>,
    /// The line in that file, counted from 1.
    pub(crate) line: Option<usize>,
    /// The file and the line; or the variable, the command line, the built-in defaults.
    pub(crate) place: String,
    pub(crate) reason: String,
    pub(crate) better: String,
}

impl Report {
    /// The findings in the order of their places. `options` has the places.
    pub(super) fn new(findings: Vec<Finding>, options: &BTreeMap<String, OptionValue>) -> Self {
        let mut findings: Vec<_> = findings.into_iter().map(|it| placed(it, options)).collect();
        findings.sort_by(|one, other| {
            let order = |it: &Placed| (it.file.clone(), it.line, it.option.clone(), it.code);
            order(one).cmp(&order(other))
        });
        Self { findings }
    }
}

fn placed(finding: Finding, options: &BTreeMap<String, OptionValue>) -> Placed {
    let Finding { code, option, reason, better } = finding;
    let value = options.get(&option).filter(|value| !value.is_default());
    let value = value.or_else(|| of_same_table(&option, options));
    let line = value.and_then(OptionValue::line);
    Placed {
        code,
        file: line.map(|(file, _)| file.to_owned()),
        line: line.map(|(_, line)| line),
        place: value.map_or("the built-in defaults".into(), |it| it.origin().to_string()),
        option,
        reason,
        better,
    }
}

/// The first option in the table of `option` that somebody set.
fn of_same_table<'a>(
    option: &str,
    options: &'a BTreeMap<String, OptionValue>,
) -> Option<&'a OptionValue> {
    // An option's name has no dot, so the last dot ends the table's key.
    let (table, _) = option.rsplit_once('.')?;
    let is_in = |key: &str| key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    let set = options.iter().filter(|(key, value)| is_in(key) && !value.is_default());
    set.map(|(_, value)| value).min_by_key(|value| value.line().map(|(_, line)| line))
}
