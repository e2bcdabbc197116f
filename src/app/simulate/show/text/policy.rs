//! What one policy did, as text.

use std::io::{self, Write};

use super::chart::chart;
use super::printer::{Printer, width};
use super::table::Table;
use crate::app::simulate::report::{PolicyOutcome, Timeline};
use crate::app::simulate::show::buckets;
use crate::app::simulate::show::facts::facts;
use crate::app::simulate::show::sentences;
use crate::app::simulate::show::times::TimeForm;
use crate::app::simulate::show::words::{brief, count};

/// Prints the figures of the policy `name`. Its timeline is shown unless that of the `whole` is the same.
pub(super) fn policy(
    name: &str,
    policy: &PolicyOutcome,
    whole: &Timeline,
    page: &mut Printer<'_, impl Write>,
) -> io::Result<()> {
    page.heading(&brief(&format!("Policy {name}: {}", sentences::kind(policy))))?;
    if policy.shadow {
        page.paragraph("", sentences::SHADOW)?;
    }
    let facts = facts(policy);
    let names = facts.iter().map(|it| width(it.name)).max().unwrap_or_default();
    let values = facts.iter().map(|it| width(&it.value)).max().unwrap_or_default();
    for it in &facts {
        let value = format!("{:>values$}", it.value);
        page.line(&format!("  {:<names$}  {value}  {}", it.name, it.note))?;
    }
    if policy.denied > 0 && !buckets::are_equal(&policy.timeline, whole) {
        for line in chart(&policy.timeline, page.width()) {
            page.line(&line)?;
        }
    }
    worst(policy, page)
}

/// Prints the clients that were denied most often.
fn worst(policy: &PolicyOutcome, page: &mut Printer<'_, impl Write>) -> io::Result<()> {
    if policy.worst.is_empty() {
        return Ok(());
    }
    let times = policy.worst.iter().flat_map(|it| [it.first_denied_at, it.last_denied_at]);
    let first = times.clone().min().unwrap_or_default();
    let form = TimeForm::between(first, times.max().unwrap_or_default());
    let mut table =
        Table::new(["denied", "requests", "peak", "first denial", "last denial", "client"], 3);
    for it in &policy.worst {
        table.push([
            count(it.denied),
            count(it.requests),
            count(it.peak),
            form.of(it.first_denied_at),
            form.of(it.last_denied_at),
            brief(&it.client),
        ]);
    }
    page.line("")?;
    let date = if form == TimeForm::Second {
        format!(" on {}", TimeForm::Day.of(first))
    } else {
        String::new()
    };
    page.paragraph("", &format!("The clients that were denied most often. The peak is the most requests within one window. Times are UTC{date}."))?;
    page.line("")?;
    table.print(page)
}
