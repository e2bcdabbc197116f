//! A timeline on the page.

use std::io;

use super::markup::Markup;
use super::plot::plot;
use crate::app::simulate::report::Timeline;
use crate::app::simulate::show::buckets;
use crate::app::simulate::show::times::TimeForm;

/// The plot of a timeline, if it has a request.
pub(super) fn timeline(title: &str, timeline: &Timeline, page: &mut Markup) -> io::Result<()> {
    let Some(drawing) = plot(timeline)? else {
        return Ok(());
    };
    let [from, to] = [timeline.start, buckets::end(timeline)].map(|at| TimeForm::Full.of(at));
    let title = format!("{title}, from {from} to {to} UTC");
    page.raw("<figure>\n<div class=\"plot\" tabindex=\"0\" role=\"group\" aria-label=\"Plot\">");
    page.drawing(&title, &drawing).raw("</div>\n<figcaption>").text(&title);
    page.raw(". <span class=\"key\"><span class=\"swatch requests\"></span>requests</span>");
    page.raw(" <span class=\"key\"><span class=\"swatch denied\"></span>denied</span>");
    page.raw("</figcaption>\n</figure>\n");
    Ok(())
}
