//! The report as text, for a terminal or a file.

use std::io::{self, Write};

use self::chart::chart;
use self::difference::difference;
use self::policy::policy;
use self::printer::Printer;
use super::sentences;
use super::words::{self, brief, counted};
use crate::app::access_log::LogSummary;
use crate::app::simulate::report::{Outcome, Report};

mod chart;
mod difference;
mod policy;
pub(in crate::app) mod printer;
mod table;

/// Of more files, the rest is only counted.
const MOST_FILES: usize = 20;

/// Writes the report as lines of about `width` columns. Names that are longer are not cut.
///
/// # Errors
/// If `output` fails.
pub(crate) fn text(report: &Report, output: &mut impl Write, width: u16) -> io::Result<()> {
    let mut page = Printer::new(output, width);
    page.heading("What was read")?;
    page.paragraph("", &sentences::read(&report.log).join(" "))?;
    files(&report.log, &mut page)?;
    unparsed(&report.log, &mut page)?;
    page.heading("Verdict")?;
    for (name, files) in sentences::configurations(report) {
        page.paragraph("", &format!("{name}: {files}"))?;
    }
    page.line("")?;
    if let Some(interruption) = sentences::interruption(report) {
        page.paragraph("", interruption)?;
    }
    for sentences in sentences::verdict(report) {
        page.paragraph("", &sentences.join(" "))?;
    }
    outcome(&report.candidate, &mut page)?;
    if let Some(changes) = &report.difference {
        difference(changes, report, &mut page)?;
    }
    if !report.caveats.is_empty() {
        page.heading("What the log cannot show")?;
        for caveat in &report.caveats {
            page.paragraph("* ", caveat)?;
        }
    }
    Ok(())
}

fn files(log: &LogSummary, page: &mut Printer<'_, impl Write>) -> io::Result<()> {
    if !log.files.is_empty() {
        page.line("")?;
    }
    for file in log.files.iter().take(MOST_FILES) {
        let name = words::file(&file.name);
        let lines = counted(file.lines, "line");
        let cut_off = file.cut_off.as_ref();
        let cut_off = cut_off.map(|why| format!("; it ends early: {}", brief(why)));
        let cut_off = cut_off.unwrap_or_default();
        page.paragraph("  ", &format!("{name}: {}, {lines}{cut_off}", brief(&file.format)))?;
    }
    match log.files.len().saturating_sub(MOST_FILES) {
        0 => Ok(()),
        1 => page.line("  and 1 more file"),
        rest => page.line(&format!("  and {rest} more files")),
    }
}

fn unparsed(log: &LogSummary, page: &mut Printer<'_, impl Write>) -> io::Result<()> {
    if log.first_unparsed.is_empty() {
        return Ok(());
    }
    page.line("")?;
    page.line("The first lines that could not be parsed:")?;
    for it in &log.first_unparsed {
        page.paragraph("  ", &format!("{}:{}: {}", brief(&it.file), it.line, brief(&it.reason)))?;
        page.cut(&format!("    {}", brief(&it.text)))?;
    }
    Ok(())
}

fn outcome(outcome: &Outcome, page: &mut Printer<'_, impl Write>) -> io::Result<()> {
    for line in chart(&outcome.timeline, page.width()) {
        page.line(&line)?;
    }
    for (name, figures) in &outcome.policies {
        policy(name, figures, &outcome.timeline, page)?;
    }
    Ok(())
}
