//! The tables of policies and of keys, with the columns that there is room for.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Cell, HighlightSpacing, Row as TableRow, Table, TableState};

use super::theme;
use crate::app::cli::operate::top::board::{Board, Row};
use crate::app::cli::operate::top::figures::{PolicyCounts, PolicyFigures};
use crate::app::cli::operate::top::words::{self, UNKNOWN};

/// From so many columns on there is room for what is useful but not needed.
const WIDE: u16 = 80;

/// From so many columns on there is room for quotas.
const WIDER: u16 = 110;

/// What marks the row that is selected.
const MARK: &str = ">";

/// What a column says of a row.
type TextOf<'a, T> = Box<dyn Fn(&T) -> (String, Style) + 'a>;

/// A column: its heading, its width, and what it says of a row.
struct Column<'a, T> {
    heading: &'static str,
    width: Constraint,
    is_number: bool,
    text: TextOf<'a, T>,
}

impl<'a, T> Column<'a, T> {
    fn number(
        heading: &'static str,
        width: u16,
        text: impl Fn(&T) -> (String, Style) + 'a,
    ) -> Self {
        let width = Constraint::Length(width);
        Self { heading, width, is_number: true, text: Box::new(text) }
    }

    fn text(
        heading: &'static str,
        width: Constraint,
        text: impl Fn(&T) -> (String, Style) + 'a,
    ) -> Self {
        Self { heading, width, is_number: false, text: Box::new(text) }
    }

    fn cell(&self, text: String, style: Style) -> Cell<'static> {
        let line = Line::from(text);
        let line = if self.is_number { line.right_aligned() } else { line };
        Cell::from(line).style(style)
    }
}

/// Draws the policies, all together first.
pub(super) fn policies(board: &Board, frame: &mut Frame<'_>, area: Rect) {
    let last = board.history().last();
    let is_wide = area.width >= WIDE;
    let rate = |it: &PolicyFigures, count: fn(&PolicyCounts) -> u64| {
        board.history().rate(|figures| Some(count(&figures.policy(&it.name)?.counts)))
    };
    type Policy = Option<PolicyFigures>;
    let number = |heading, width, text: &'static dyn Fn(&PolicyCounts) -> u64, style: Style| {
        Column::number(heading, width, move |it: &Policy| match it {
            Some(it) => (words::count(text(&it.counts)), style),
            None => Default::default(),
        })
    };
    let per_second = |heading, width, count: fn(&PolicyCounts) -> u64, loud: Style| {
        Column::number(heading, width, move |it: &Policy| match it {
            Some(it) => {
                let rate = rate(it, count);
                let is_loud = rate.is_some_and(|rate| rate > 0.0);
                (words::rate(rate), if is_loud { loud } else { Style::new() })
            }
            None => Default::default(),
        })
    };
    let mut columns = vec![Column::text("POLICY", Constraint::Fill(1), |it: &Policy| {
        let name = it.as_ref().map_or("all policies", |it| &it.name);
        (name.to_owned(), Style::new())
    })];
    if area.width >= WIDER {
        columns.push(Column::text("QUOTA", Constraint::Fill(1), |it: &Policy| {
            (it.as_ref().map(PolicyFigures::quotas).unwrap_or_default(), Style::new())
        }));
    }
    columns.push(Column::text("MODE", Constraint::Length(13), |it: &Policy| match it {
        Some(it) if it.mode() == "enforce" => (it.mode(), Style::new()),
        Some(it) => (it.mode(), theme::notice()),
        None => Default::default(),
    }));
    columns.push(per_second("ALLOWED/S", 9, PolicyCounts::allowed, Style::new()));
    columns.push(per_second("DENIED/S", 8, |it| it.denied, theme::alarm()));
    if is_wide {
        columns.push(number("ALLOWED", 9, &PolicyCounts::allowed, Style::new()));
        columns.push(number("DENIED", 9, &|it| it.denied, Style::new()));
    }
    if last.policies.iter().any(PolicyFigures::is_on_trial) {
        columns.push(Column::number("WOULD DENY", 10, |it: &Policy| match it {
            Some(it) if it.is_on_trial() => (words::count(it.counts.would_deny()), theme::notice()),
            Some(_) => (UNKNOWN.to_owned(), Style::new()),
            None => Default::default(),
        }));
    }
    let all: Vec<Policy> =
        [None].into_iter().chain(last.policies.iter().cloned().map(Some)).collect();
    let is_shown = |it: &Policy| it.as_ref().map(|it| it.name.as_str()) == board.policy();
    let selected = all.iter().position(is_shown);
    render(&columns, &all, selected, frame, area);
}

/// Draws `rows`, of which one is selected.
pub(super) fn keys(
    board: &Board,
    rows: &[Row<'_>],
    selected: usize,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let is_wide = area.width >= WIDE;
    let plain = |text: String| (text, Style::new());
    let mut columns = vec![
        Column::number("REFUSED", 8, move |it: &Row<'_>| {
            plain(words::estimate(it.figures.refused))
        }),
        Column::number("/S", 6, |it: &Row<'_>| {
            let rate = it.rates.refused;
            let is_loud = rate.is_some_and(|rate| rate > 0.0);
            (words::rate(rate), if is_loud { theme::alarm() } else { Style::new() })
        }),
        Column::number("REQUESTS", 8, move |it: &Row<'_>| {
            plain(words::estimate(it.figures.requests))
        }),
    ];
    if is_wide {
        columns.push(Column::number("/S", 6, move |it: &Row<'_>| {
            plain(words::rate(it.rates.requests))
        }));
    }
    columns.push(Column::number("SINCE", 7, move |it: &Row<'_>| {
        plain(it.figures.refused_for_seconds.map(words::time).unwrap_or_default())
    }));
    columns.push(Column::text("KEY", Constraint::Fill(2), move |it: &Row<'_>| {
        plain(it.name.key.clone())
    }));
    if is_wide && board.policy().is_none() {
        columns.push(Column::text("POLICY", Constraint::Fill(1), move |it: &Row<'_>| {
            plain(it.name.policy.clone())
        }));
    }
    render(&columns, rows, Some(selected), frame, area);
}

fn render<T>(
    columns: &[Column<'_, T>],
    rows: &[T],
    selected: Option<usize>,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let heading = columns.iter().map(|it| it.cell(it.heading.to_owned(), theme::heading()));
    let heading: TableRow<'_> = heading.collect();
    let rows = rows.iter().map(|row| {
        let cells = columns.iter().map(|column| {
            let (text, style) = (column.text)(row);
            column.cell(text, style)
        });
        cells.collect::<TableRow<'_>>()
    });
    let table = Table::new(rows, columns.iter().map(|it| it.width))
        .header(heading)
        .row_highlight_style(Style::new().reversed())
        .highlight_symbol(MARK)
        .highlight_spacing(HighlightSpacing::Always);
    let mut state = TableState::new().with_selected(selected);
    frame.render_stateful_widget(table, area, &mut state);
}
