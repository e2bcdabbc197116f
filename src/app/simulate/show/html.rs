//! The report as one page in HTML. It needs no script, no other file and no network.

use std::io::{self, Write};

use self::difference::difference;
use self::log::log;
use self::markup::Markup;
use self::policy::policy;
use self::timeline::timeline;
use super::sentences;
use super::words::{self, count, share};
use crate::app::simulate::report::{Report, Totals};

mod difference;
mod log;
mod markup;
mod plot;
mod policy;
mod timeline;

/// What comes before the style sheet. The page may use nothing but what is in it.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Tollgate: simulation</title>
<style>
"#;

const STYLE: &str = include_str!("html/report.css");

/// Writes the report as a page.
///
/// # Errors
/// If `output` fails.
pub(crate) fn html(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let mut page = Markup::default();
    page.raw(HEAD).raw(STYLE).raw("</style>\n</head>\n<body>\n");
    head(report, &mut page);
    page.raw("<main>\n");
    verdict(report, &mut page)?;
    for (number, (name, outcome)) in report.candidate.policies.iter().enumerate() {
        policy(number, name, outcome, &report.candidate.timeline, &mut page)?;
    }
    if let Some(changes) = &report.difference {
        difference(changes, report, &mut page);
    }
    log(&report.log, &mut page);
    caveats(&report.caveats, &mut page);
    page.raw("</main>\n</body>\n</html>\n");
    output.write_all(page.as_bytes())
}

/// What was simulated.
fn head(report: &Report, page: &mut Markup) {
    page.raw("<header>\n<h1>Simulation of a configuration</h1>\n<dl>\n");
    let mut named = |name, value: &str| {
        page.raw("<div>").element("dt", name).element("dd", value).raw("</div>\n");
    };
    for (name, files) in sentences::configurations(report) {
        named(name, &files);
    }
    if !report.log.files.is_empty() {
        let files: Vec<_> = report.log.files.iter().map(|it| words::file(&it.name)).collect();
        named("Access log", &words::listed(&files));
    }
    if let Some(span) = sentences::times(&report.log) {
        named("Time", &span);
    }
    page.raw("</dl>\n</header>\n");
}

/// What the configuration would have done with all requests.
fn verdict(report: &Report, page: &mut Markup) -> io::Result<()> {
    let totals = &report.candidate.totals;
    page.section("verdict").raw("<h2 id=\"verdict\">Verdict</h2>\n");
    if let Some(interruption) = sentences::interruption(report) {
        page.element_of("p", "notice", interruption);
    }
    for sentences in sentences::verdict(report) {
        page.paragraph("verdict", &sentences);
    }
    page.raw("<dl class=\"figures\">\n");
    let current = report.current.as_ref().map(|it| &it.totals);
    let now = |part: fn(&Totals) -> u64, whole: fn(&Totals) -> u64| {
        let now = current.map(|it| format!("; currently {}", count(part(it))));
        format!("{}{}", share(part(totals), whole(totals)), now.unwrap_or_default())
    };
    let denied = now(|it| it.denied, |it| it.requests);
    let clients_denied = now(|it| it.clients_denied, |it| it.clients);
    figure("Requests", &count(totals.requests), "", page);
    figure("Denied", &count(totals.denied), &denied, page);
    figure("Clients", &count(totals.clients), "", page);
    figure("Clients denied", &count(totals.clients_denied), &clients_denied, page);
    page.raw("</dl>\n");
    timeline("Requests and denials under all policies", &report.candidate.timeline, page)?;
    page.raw("</section>\n");
    Ok(())
}

fn figure(name: &str, value: &str, note: &str, page: &mut Markup) {
    page.raw("<div>").element("dt", name).raw("<dd>").element_of("span", "value", value);
    page.element_of("span", "quiet", note).raw("</dd></div>\n");
}

fn caveats(caveats: &[String], page: &mut Markup) {
    if caveats.is_empty() {
        return;
    }
    page.section("caveats").raw("<h2 id=\"caveats\">What the log cannot show</h2>\n<ul>\n");
    for caveat in caveats {
        page.element("li", caveat);
    }
    page.raw("</ul>\n</section>\n");
}
