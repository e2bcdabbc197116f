//! Who fares differently under the candidate, as text.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::printer::Printer;
use super::table::Table;
use crate::app::simulate::report::{ChangedClient, Difference, Outcome, Report};
use crate::app::simulate::show::sentences;
use crate::app::simulate::show::words::{brief, count, counted};

/// What stands for a policy that one configuration has not.
const NONE: &str = "-";

/// Prints what `difference` there is between the outcomes of `report`.
pub(super) fn difference(
    difference: &Difference,
    report: &Report,
    page: &mut Printer<'_, impl Write>,
) -> io::Result<()> {
    page.heading("What changes")?;
    for sentence in sentences::difference(difference) {
        page.paragraph("", &sentence)?;
    }
    if let Some(current) = &report.current {
        policies(current, &report.candidate, page)?;
    }
    changed(
        "Clients that only the candidate denies:",
        &difference.clients_newly_denied,
        difference.clients_newly_denied_count,
        page,
    )?;
    changed(
        "Clients that only the current configuration denies:",
        &difference.clients_newly_admitted,
        difference.clients_newly_admitted_count,
        page,
    )
}

/// Prints what each policy denies under either configuration.
fn policies(
    current: &Outcome,
    candidate: &Outcome,
    page: &mut Printer<'_, impl Write>,
) -> io::Result<()> {
    let names: BTreeSet<_> = current.policies.keys().chain(candidate.policies.keys()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["denied before", "after", "clients before", "after", "policy"], 4);
    for name in names {
        let [then, now] = [current, candidate].map(|it| it.policies.get(name));
        let shown = |number: Option<u64>| number.map_or_else(|| NONE.to_owned(), count);
        table.push([
            shown(then.map(|it| it.denied)),
            shown(now.map(|it| it.denied)),
            shown(then.map(|it| it.clients_denied)),
            shown(now.map(|it| it.clients_denied)),
            brief(name),
        ]);
    }
    page.line("")?;
    page.paragraph("", "Denied requests and denied clients of each policy, before under the current configuration, and after under the candidate:")?;
    page.line("")?;
    table.print(page)
}

/// Prints `clients`, of which there are `number` in all.
fn changed(
    title: &str,
    clients: &[ChangedClient],
    number: u64,
    page: &mut Printer<'_, impl Write>,
) -> io::Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["denied", "requests", "client"], 2);
    for it in clients {
        table.push([count(it.denied), count(it.requests), brief(&it.client)]);
    }
    page.line("")?;
    page.line(title)?;
    page.line("")?;
    table.print(page)?;
    let listed = u64::try_from(clients.len()).unwrap_or(u64::MAX);
    match number.saturating_sub(listed) {
        0 => Ok(()),
        rest => page.line(&format!("  and {}", counted(rest, "more client"))),
    }
}
