//! `tollgate check`: whether a configuration is valid, and what in it is probably not meant.

use std::io::{self, Write};

use clap::Args;
use serde_json::json;

use super::options::Options;
use crate::app::check::{self, Report};
use crate::app::config::{ConfigErrors, Sources};

#[derive(Args)]
pub(super) struct CheckOptions {
    #[command(flatten)]
    pub(super) options: Options,
    /// Fail if there is any finding
    #[arg(long)]
    pub(super) strict: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Writes to `output` what a check of `sources` finds, and returns how many findings there are.
///
/// # Errors
/// With what is wrong with the configuration, if it is not valid.
pub(super) fn check(
    sources: &Sources,
    json: bool,
    output: &mut impl Write,
) -> Result<io::Result<usize>, ConfigErrors> {
    let report = match check::examine(sources) {
        Ok(report) => report,
        Err(errors) => {
            if json {
                let errors: Vec<_> = errors.lines().collect();
                // The errors also go to standard error, so a closed stream hides nothing.
                let _ = write_json(&json!({ "valid": false, "errors": errors }), output);
            }
            return Err(errors);
        }
    };
    let written = if json {
        write_json(&json!({ "valid": true, "findings": report.findings }), output)
    } else {
        write_text(&report, output)
    };
    Ok(written.map(|()| report.findings.len()))
}

fn write_text(report: &Report, output: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(output, "{}: {} ({})", finding.place, finding.option, finding.code)?;
        writeln!(output, "  {}", finding.reason)?;
        for line in finding.better.lines() {
            writeln!(output, "  better: {line}")?;
        }
    }
    match report.findings.len() {
        0 => writeln!(output, "The configuration is valid."),
        1 => writeln!(output, "The configuration is valid, with 1 finding."),
        number => writeln!(output, "The configuration is valid, with {number} findings."),
    }
}

fn write_json(report: &serde_json::Value, output: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, report)?;
    writeln!(output)
}
