//! The report as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::app::simulate::report::Report;

/// The version of the fields. It grows when a field goes or changes its meaning, and not for a new field.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a> {
    version: u32,
    #[serde(flatten)]
    report: &'a Report,
}

/// Writes the report as JSON, for programs.
///
/// # Errors
/// If `output` fails.
pub(crate) fn json(report: &Report, output: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *output, &Versioned { version: VERSION, report })?;
    writeln!(output)
}
