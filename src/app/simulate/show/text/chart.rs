//! A timeline as bars of letters.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Sparkline, Widget as _};

use super::printer::width;
use crate::app::simulate::report::Timeline;
use crate::app::simulate::show::buckets;
use crate::app::simulate::show::times::TimeForm;
use crate::app::simulate::show::words::{count, duration};

/// The columns before the labels.
const INDENT: u16 = 2;

/// The columns of the labels, if they need no more.
const LABELS: u16 = 18;

/// A bar is no wider, however few there are.
const WIDEST_BAR: usize = 4;

/// A row of bars.
struct Bars<'a> {
    name: &'static str,
    counts: &'a [u64],
    /// Lines of text that the bars take.
    height: u16,
}

impl Bars<'_> {
    fn most(&self) -> u64 {
        buckets::most(self.counts)
    }

    fn label(&self) -> [String; 2] {
        [self.name.to_owned(), format!("at most {}", count(self.most()))]
    }

    /// The bars, each `columns` wide. What is not 0 is seen, however little it is.
    fn render(&self, columns: usize, area: Rect, buffer: &mut Buffer) {
        let most = self.most();
        let least = most.div_ceil(u64::from(self.height) * 8);
        let heights = self.counts.iter().map(|&it| if it == 0 { 0 } else { it.max(least) });
        let columns = heights.flat_map(|height| std::iter::repeat_n(height, columns));
        Sparkline::default().data(columns).max(most).render(area, buffer);
    }
}

/// Lines that show the requests and denials of `timeline` in about `columns` columns. There is
/// none without a request, or within one bucket.
pub(super) fn chart(timeline: &Timeline, columns: u16) -> Vec<String> {
    let room = usize::from(columns.saturating_sub(INDENT + LABELS).max(1));
    let timeline = buckets::at_most(timeline, room);
    let requests = Bars { name: "requests", counts: &timeline.requests, height: 4 };
    let denied = Bars { name: "denied", counts: &timeline.denied, height: 3 };
    if requests.most() == 0 || requests.counts.len() < 2 {
        return Vec::new();
    }
    let bar = (room / timeline.requests.len()).clamp(1, WIDEST_BAR);
    let rows: Vec<_> = [requests, denied].into_iter().filter(|it| it.most() > 0).collect();
    let mut lines = vec![
        String::new(),
        format!("Requests and denials (UTC), a bar for each {}:", duration(timeline.step)),
        String::new(),
    ];
    lines.extend(draw(&rows, &axis(&timeline), bar));
    lines
}

/// When the chart begins and ends.
fn axis(timeline: &Timeline) -> [String; 2] {
    let (first, last) = (timeline.start, buckets::end(timeline));
    let form = TimeForm::between(first, last);
    [first, last].map(|at| form.of(at))
}

fn draw(rows: &[Bars<'_>], [begin, end]: &[String; 2], bar: usize) -> Vec<String> {
    let columns = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let labels = rows.iter().flat_map(Bars::label).map(|it| width(&it) + 2).max();
    let labels = columns(labels.unwrap_or_default()).max(LABELS);
    let number = rows.first().map_or(0, |row| row.counts.len());
    let bars = columns(number * bar).max(columns(width(begin)));
    let heights = rows.iter().map(|it| it.height);
    let area = Rect::new(0, 0, INDENT + labels + bars, heights.clone().sum::<u16>() + 1);
    let mut buffer = Buffer::empty(area);
    let horizontal = [INDENT, labels, bars].map(Constraint::Length);
    let vertical = heights.chain([1]).map(Constraint::Length);
    let areas = Layout::vertical(vertical).split(area);
    for (row, area) in rows.iter().zip(areas.iter()) {
        let [_, label, bars] = Layout::horizontal(horizontal).areas(*area);
        for (line, area) in row.label().into_iter().zip(label.rows()) {
            Line::raw(line).render(area, &mut buffer);
        }
        row.render(bar, bars, &mut buffer);
    }
    if let Some(area) = areas.last() {
        let [_, _, below] = Layout::horizontal(horizontal).areas(*area);
        if width(begin) + width(end) < usize::from(bars) {
            Line::raw(end).right_aligned().render(below, &mut buffer);
        }
        Line::raw(begin).render(below, &mut buffer);
    }
    lines(&buffer)
}

fn lines(buffer: &Buffer) -> Vec<String> {
    let area = *buffer.area();
    let line = |row: Rect| row.columns().map(|at| buffer[(at.x, at.y)].symbol()).collect();
    area.rows().map(line).collect()
}
