//! Who fares differently under the candidate, on the page.

use std::collections::BTreeSet;

use super::markup::Markup;
use crate::app::simulate::report::{ChangedClient, Difference, Outcome, Report};
use crate::app::simulate::show::sentences;
use crate::app::simulate::show::words::{brief, count, counted};

/// Adds what `difference` there is between the outcomes of `report`.
pub(super) fn difference(difference: &Difference, report: &Report, page: &mut Markup) {
    page.section("difference").raw("<h2 id=\"difference\">What changes</h2>\n");
    page.paragraph("", &sentences::difference(difference));
    if let Some(current) = &report.current {
        policies(current, &report.candidate, page);
    }
    changed(
        "Clients that only the candidate denies.",
        &difference.clients_newly_denied,
        difference.clients_newly_denied_count,
        page,
    );
    changed(
        "Clients that only the current configuration denies.",
        &difference.clients_newly_admitted,
        difference.clients_newly_admitted_count,
        page,
    );
    page.raw("</section>\n");
}

/// Adds a table of what each policy denies under either configuration.
fn policies(current: &Outcome, candidate: &Outcome, page: &mut Markup) {
    let names: BTreeSet<_> = current.policies.keys().chain(candidate.policies.keys()).collect();
    if names.is_empty() {
        return;
    }
    let headings = [
        "Denied, current",
        "Denied, candidate",
        "Clients denied, current",
        "Clients denied, candidate",
    ];
    page.table("What each policy denies.", "Policy", &headings);
    for name in names {
        let [then, now] = [current, candidate].map(|it| it.policies.get(name));
        page.row(&brief(name));
        for number in [
            then.map(|it| it.denied),
            now.map(|it| it.denied),
            then.map(|it| it.clients_denied),
            now.map(|it| it.clients_denied),
        ] {
            page.number(&number.map_or_else(|| "–".to_owned(), count));
        }
        page.raw("</tr>\n");
    }
    page.end_table();
}

/// Adds a table of `clients`, of which there are `number` in all.
fn changed(title: &str, clients: &[ChangedClient], number: u64, page: &mut Markup) {
    let Some(most) = clients.iter().map(|it| it.denied).max() else {
        return;
    };
    let listed = u64::try_from(clients.len()).unwrap_or(u64::MAX);
    let title = match number.saturating_sub(listed) {
        0 => title.to_owned(),
        rest => format!("{title} {} are not listed.", counted(rest, "more client")),
    };
    page.table(&title, "Client", &["Denied", "Requests"]);
    for it in clients {
        page.row(&brief(&it.client)).bar(&count(it.denied), it.denied, most);
        page.number(&count(it.requests)).raw("</tr>\n");
    }
    page.end_table();
}
