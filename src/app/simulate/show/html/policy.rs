//! What one policy did, on the page.

use std::io;

use super::markup::Markup;
use super::timeline::timeline;
use crate::app::simulate::report::{PolicyOutcome, Timeline};
use crate::app::simulate::show::buckets;
use crate::app::simulate::show::facts::facts;
use crate::app::simulate::show::sentences;
use crate::app::simulate::show::times::TimeForm;
use crate::app::simulate::show::words::{brief, count};

/// Adds the policy `name`, the one of this number on the page. Its timeline is shown unless that of the `whole` is the
/// same.
pub(super) fn policy(
    number: usize,
    name: &str,
    policy: &PolicyOutcome,
    whole: &Timeline,
    page: &mut Markup,
) -> io::Result<()> {
    let name = brief(name);
    let id = format!("policy-{number}");
    page.section(&id).raw("<h2 id=\"").text(&id).raw("\">Policy ").text(&name);
    page.raw(" <span class=\"quiet\">").text(&brief(&sentences::kind(policy))).raw("</span>");
    if policy.shadow {
        page.raw(" <span class=\"chip\">shadow</span>");
    }
    page.raw("</h2>\n");
    if policy.shadow {
        page.element_of("p", "quiet", sentences::SHADOW);
    }
    page.raw("<dl class=\"facts\">\n");
    for fact in facts(policy) {
        page.raw("<div>").element("dt", fact.name).element_of("dd", "number", &fact.value);
        page.element_of("dd", "quiet", &fact.note).raw("</div>\n");
    }
    page.raw("</dl>\n");
    if !buckets::are_equal(&policy.timeline, whole) {
        timeline(&format!("Requests and denials under {name}"), &policy.timeline, page)?;
    }
    worst(policy, page);
    page.raw("</section>\n");
    Ok(())
}

/// Adds a table of the clients that were denied most often.
fn worst(policy: &PolicyOutcome, page: &mut Markup) {
    let Some(most) = policy.worst.iter().map(|it| it.denied).max() else {
        return;
    };
    let caption =
        "The clients that were denied most often. The peak is the most requests within one window.";
    let headings = ["Denied", "Requests", "Peak", "First denial (UTC)", "Last denial (UTC)"];
    page.table(caption, "Client", &headings);
    for it in &policy.worst {
        page.row(&brief(&it.client)).bar(&count(it.denied), it.denied, most);
        page.number(&count(it.requests)).number(&count(it.peak));
        page.number(&TimeForm::Full.of(it.first_denied_at));
        page.number(&TimeForm::Full.of(it.last_denied_at)).raw("</tr>\n");
    }
    page.end_table();
}
