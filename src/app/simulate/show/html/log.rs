//! What was read, on the page.

use super::markup::Markup;
use crate::app::access_log::LogSummary;
use crate::app::simulate::show::sentences;
use crate::app::simulate::show::words::{self, brief, count};

/// Adds what was read of which files, and what could not be.
pub(super) fn log(log: &LogSummary, page: &mut Markup) {
    page.section("log").raw("<h2 id=\"log\">What was read</h2>\n");
    page.paragraph("", &sentences::read(log));
    if !log.files.is_empty() {
        page.table("The files that were read.", "File", &["Format", "Lines"]);
        for file in &log.files {
            page.raw("<tr><th scope=\"row\" class=\"name\">").text(&words::file(&file.name));
            if let Some(why) = &file.cut_off {
                page.raw("<span class=\"cut-off\">It ends early: ")
                    .text(&brief(why))
                    .raw("</span>");
            }
            page.raw("</th>")
                .number(&brief(&file.format))
                .number(&count(file.lines))
                .raw("</tr>\n");
        }
        page.end_table();
    }
    if !log.first_unparsed.is_empty() {
        page.raw("<details>\n<summary>The first lines that could not be parsed</summary>\n<ol>\n");
        for it in &log.first_unparsed {
            let place = format!("{}:{}: {}", brief(&it.file), it.line, brief(&it.reason));
            page.raw("<li>").text(&place).element("pre", &brief(&it.text)).raw("</li>\n");
        }
        page.raw("</ol>\n</details>\n");
    }
    page.raw("</section>\n");
}
