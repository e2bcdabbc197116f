//! Suggestions as a text for people, of 80 columns.

use std::io::{self, Write};

use super::report::{Found, OfWindow, Suggestion, Suggestions};
use crate::app::simulate::show::Printer;

/// The columns of a line.
const WIDTH: u16 = 80;

/// The algorithm of which the policy is shown, since it admits no more around an edge than it has room for.
const SHOWN: &str = "token-bucket";

/// What a share may be of, as a report has it.
const CLIENTS: &str = "clients";

/// Writes `suggestions` to `output`.
///
/// # Errors
/// When the output cannot be written to.
pub(crate) fn text(suggestions: &Suggestions, output: &mut impl Write) -> io::Result<()> {
    let (asked, counted) = (&suggestions.asked, &suggestions.counted);
    let all = if asked.of == CLIENTS { counted.clients } else { counted.requests };
    let most = match asked.most_refused {
        0 => "none".to_owned(),
        most => format!("at most {most}"),
    };
    paragraph(
        output,
        &format!(
            "Each quota is the smallest that would have refused at most {} of the {}: {most} of {all}.",
            asked.deny_at_most, asked.of
        ),
    )?;
    paragraph(
        output,
        &format!(
            "{} requests of {} clients were counted, by {}{}.",
            counted.requests,
            counted.clients,
            asked.key,
            match asked.routes.is_empty() {
                true => String::new(),
                false => format!(", for {}", asked.routes.join(", ")),
            }
        ),
    )?;
    for window in suggestions.windows.iter().filter(|_| counted.requests > 0) {
        writeln!(output)?;
        of_window(window, asked.of, output)?;
    }
    writeln!(output, "\nWhat the log cannot show:")?;
    suggestions.caveats.iter().try_for_each(|caveat| item(output, caveat))
}

fn of_window(window: &OfWindow, of: &str, output: &mut impl Write) -> io::Result<()> {
    let (name, peaks) = (&window.window, window.peaks);
    writeln!(output, "Per {name}")?;
    paragraph(
        output,
        &format!(
            "In its busiest {name}, half of the clients sent at most {}, 90% at most {}, 99% at most {}, 99.9% at \
             most {}, and the busiest {}.",
            peaks.p50, peaks.p90, peaks.p99, peaks.p99_9, peaks.max
        ),
    )?;
    let found = |it| found(it).map(|found| row(it, found));
    let rows: Vec<_> = window.suggestions.iter().filter_map(found).collect();
    if !rows.is_empty() {
        table(output, &rows)?;
    }
    for suggestion in &window.suggestions {
        if let Some(reason) = &suggestion.not_found {
            paragraph(output, reason)?;
        }
    }
    let shown = window.suggestions.iter().find(|it| it.algorithm == SHOWN && it.found.is_some());
    let shown = shown.or_else(|| window.suggestions.iter().find(|it| it.found.is_some()));
    if let Some((shown, found)) = shown.and_then(|it| Some((it, it.found.as_ref()?))) {
        paragraph(output, &support(shown, found, of))?;
        write!(output, "\n{}", found.toml)?;
    }
    Ok(())
}

fn found(suggestion: &Suggestion) -> Option<&Found> {
    suggestion.found.as_ref()
}

/// What one unit less refuses, and how near the busiest client is.
fn support(suggestion: &Suggestion, found: &Found, of: &str) -> String {
    let mut text = match found.refused_with_one_less {
        Some(less) => format!(
            "By {}, {} refuses {}, and one unit less refuses {}.",
            suggestion.algorithm,
            found.quota,
            number(if of == CLIENTS { found.refused.clients } else { found.refused.requests }, of),
            if of == CLIENTS { less.clients } else { less.requests },
        ),
        None => format!("By {}, {} is the least there is.", suggestion.algorithm, found.quota),
    };
    if let Some(percent) = found.busiest_uses_percent {
        text.push_str(&format!(
            " The busiest client that is not refused uses {percent}% of it. A quarter more is {}.",
            found.units_with_margin
        ));
    }
    text
}

fn number(number: u64, of: &str) -> String {
    match number {
        1 => format!("1 {}", of.trim_end_matches('s')),
        _ => format!("{number} {of}"),
    }
}

/// The cells of a line.
type Row = [String; 7];

fn heads() -> [Row; 2] {
    [
        ["", "", "and a", "refused", "refused", "an abuser", "an abuser"],
        ["algorithm", "quota", "quarter", "clients", "requests", "per window", "per day"],
    ]
    .map(|row| row.map(str::to_owned))
}

fn row(suggestion: &Suggestion, found: &Found) -> Row {
    [
        suggestion.algorithm.to_owned(),
        found.units.to_string(),
        found.units_with_margin.to_string(),
        found.refused.clients.to_string(),
        found.refused.requests.to_string(),
        found.abuse.in_any_window.to_string(),
        found.abuse.in_any_day.to_string(),
    ]
}

fn table(output: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    let heads = heads();
    let all = || heads.iter().chain(rows);
    let width = |column: usize| all().map(|row| row[column].len()).max().unwrap_or(0);
    for row in all() {
        let mut line = format!("{:<width$}", row[0], width = width(0));
        for (column, cell) in row.iter().enumerate().skip(1) {
            line.push_str(&format!("  {cell:>width$}", width = width(column)));
        }
        writeln!(output, "{}", line.trim_end())?;
    }
    Ok(())
}

fn paragraph(output: &mut impl Write, text: &str) -> io::Result<()> {
    Printer::new(output, WIDTH).paragraph("", text)
}

fn item(output: &mut impl Write, text: &str) -> io::Result<()> {
    Printer::new(output, WIDTH).paragraph("- ", text)
}

#[cfg(test)]
mod tests;
