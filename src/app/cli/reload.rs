//! `tollgate reload`: with `--check`, it says beforehand what a reload would change.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::operate::Common;
use crate::app::config::{ConfigErrors, OptionValue, RawConfig, Sources};
use crate::app::reload::{Difference, Effect, differences};

#[derive(Args)]
pub(super) struct ReloadOptions {
    #[command(flatten)]
    pub(super) common: Common,
    /// Ask no process, but compare this file with the present configuration, and say what a reload would change; of
    /// several files the last wins
    #[arg(long = "check", value_name = "FILE")]
    pub(super) check: Vec<PathBuf>,
}

/// What would change, for programs.
#[derive(Serialize)]
struct Report<'a> {
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    option: &'a str,
    /// `null` where the option has its default.
    before: Option<&'a str>,
    after: Option<&'a str>,
    takes_effect: &'static str,
    counts: Option<&'static str>,
}

/// Writes to `output` what differs between the configuration of `present` and one that is read from `files` instead.
///
/// # Errors
/// With what is wrong with the latter. It would be refused.
pub(super) fn check(
    present: &Sources,
    files: Vec<PathBuf>,
    json: bool,
    output: &mut impl Write,
) -> Result<io::Result<()>, ConfigErrors> {
    let next = RawConfig::read(&Sources { files, default_file: None, ..present.clone() });
    let differences = differences(&RawConfig::read(present).options(), &next.options());
    next.check()?;
    Ok(if json { write_json(&differences, output) } else { write_text(&differences, output) })
}

fn write_text(differences: &[Difference], output: &mut impl Write) -> io::Result<()> {
    if differences.is_empty() {
        return writeln!(output, "The file is valid, and changes nothing.");
    }
    for difference in differences {
        let Difference { key, before, after } = difference;
        let (before, after) = (in_words(before.as_ref()), in_words(after.as_ref()));
        writeln!(output, "{key}: {before} -> {after}: {}", difference.effect().words())?;
    }
    Ok(())
}

fn in_words(value: Option<&OptionValue>) -> String {
    value
        .map_or("its default".to_owned(), |value| format!("{} ({})", value.shown(), value.origin()))
}

fn write_json(differences: &[Difference], output: &mut impl Write) -> io::Result<()> {
    let changes = differences.iter().map(|it| Change {
        option: &it.key,
        before: it.before.as_ref().map(OptionValue::shown),
        after: it.after.as_ref().map(OptionValue::shown),
        takes_effect: if it.effect() == Effect::AtRestart { "restart" } else { "reload" },
        counts: it.effect().of_counts(),
    });
    let report = Report { changes: changes.collect() };
    serde_json::to_writer_pretty(&mut *output, &report)?;
    writeln!(output)
}
