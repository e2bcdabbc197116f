//! The plot of a timeline, as SVG.

use std::io;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea as _};
use plotters::prelude::SVGBackend;
use plotters::series::{AreaSeries, LineSeries};
use plotters::style::{Color as _, IntoFont as _, RGBColor, ShapeStyle};

use self::axis::Axis;
use crate::app::simulate::report::Timeline;
use crate::app::simulate::show::buckets;
use crate::app::simulate::show::words::duration;

mod axis;

/// The size of a plot without denials, and what denials add to its height.
const WIDTH: u32 = 880;
const HEIGHT: u32 = 220;
const HEIGHT_OF_DENIALS: u32 = 150;

/// A plot has no more steps.
const MOST_BUCKETS: usize = 300;

// The style sheet replaces these colours, one by one, in a dark page.
const REQUESTS: RGBColor = RGBColor(0x4a, 0x7f, 0xe0);
const DENIED: RGBColor = RGBColor(0xd2, 0x43, 0x1c);
const GRID: RGBColor = RGBColor(0xdc, 0xe1, 0xe9);
const TEXT: RGBColor = RGBColor(0x56, 0x61, 0x74);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What is drawn of a timeline: counts in a colour.
type Series<'a> = (&'a [u64], RGBColor);

/// Draws the requests and denials of `timeline`, and below them the denials alone, on a scale of their own. There is
/// no plot without a request, or within one bucket.
///
/// # Errors
/// If it cannot be drawn.
pub(super) fn plot(timeline: &Timeline) -> io::Result<Option<String>> {
    let timeline = buckets::at_most(timeline, MOST_BUCKETS);
    if buckets::most(&timeline.requests) == 0 || timeline.requests.len() < 2 {
        return Ok(None);
    }
    let has_denials = buckets::most(&timeline.denied) > 0;
    let height = if has_denials { HEIGHT + HEIGHT_OF_DENIALS } else { HEIGHT };
    let requests = (timeline.requests.as_slice(), REQUESTS);
    let denied = (timeline.denied.as_slice(), DENIED);
    let mut drawing = String::new();
    {
        let area = SVGBackend::with_string(&mut drawing, (WIDTH, height)).into_drawing_area();
        let step = duration(timeline.step);
        if has_denials {
            let (upper, lower) = area.split_vertically(HEIGHT);
            panel(
                &upper,
                &format!("requests and denials in {step}"),
                &timeline,
                &[requests, denied],
            )?;
            panel(&lower, &format!("denials in {step}"), &timeline, &[denied])?;
        } else {
            panel(&area, &format!("requests in {step}"), &timeline, &[requests])?;
        }
        area.present().map_err(io::Error::other)?;
    }
    Ok(Some(drawing))
}

/// Draws `series` over time, from 0.
fn panel(
    area: &Area<'_>,
    title: &str,
    timeline: &Timeline,
    series: &[Series<'_>],
) -> io::Result<()> {
    let font = ("sans-serif", 16).into_font().color(&TEXT);
    area.draw_text(title, &font, (0, 4)).map_err(io::Error::other)?;
    let most = series.iter().map(|(counts, _)| buckets::most(counts)).max().unwrap_or_default();
    let times = Axis::of_times(timeline.start, buckets::end(timeline));
    let counts = Axis::of_counts(most);
    let (time_scale, count_scale) = (times.scale(), counts.scale());
    let mut chart = ChartBuilder::on(area)
        .margin_top(34)
        .margin_right(38)
        .x_label_area_size(30)
        .y_label_area_size(64)
        .build_cartesian_2d(times, counts)
        .map_err(io::Error::other)?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .label_style(font)
        .set_all_tick_mark_size(4);
    mesh.x_label_formatter(&|at| time_scale.label(*at))
        .y_label_formatter(&|count| count_scale.label(*count))
        .draw()
        .map_err(io::Error::other)?;
    for (counts, color) in series {
        let steps = steps(timeline, counts);
        let area = AreaSeries::new(steps.iter().copied(), 0, color.mix(0.25));
        chart.draw_series(area).map_err(io::Error::other)?;
        let line = LineSeries::new(steps, ShapeStyle::from(color).stroke_width(2));
        chart.draw_series(line).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The corners of the steps: a count holds from the start of its bucket to its end.
fn steps(timeline: &Timeline, counts: &[u64]) -> Vec<(u64, u64)> {
    let corners = counts.iter().enumerate().flat_map(|(number, &count)| {
        [number, number + 1].map(|it| (buckets::start(timeline, it), count))
    });
    corners.collect()
}
