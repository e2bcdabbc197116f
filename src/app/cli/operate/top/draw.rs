//! Draws the view.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Wrap};

use self::tables::{keys, policies};
use super::board::{Board, Row};
use super::figures::Store;
use super::words;
use crate::domain::clock::Millis;

mod tables;
mod theme;

/// Which keys do what.
const HELP: &str = "q end   Tab policy   j k select   s order";

/// Draws what `board` knows into the whole of `frame`.
pub(super) fn draw(board: &Board, now: Millis, frame: &mut Frame<'_>) {
    let rows = board.rows();
    let notice = notice(board, now);
    let number = board.history().last().policies.len();
    let height = frame.area().height;
    // A line of headings, one for all policies, and one for each. Keys have more than half of the rest.
    let for_policies = u16::try_from(number + 2).unwrap_or(u16::MAX).min((height / 3).max(3));
    let areas = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(notice.is_some())),
        Constraint::Length(for_policies),
        Constraint::Length(2),
        Constraint::Fill(1),
        Constraint::Length(2),
        Constraint::Length(1),
    ]);
    let [head, noticed, upper, title, lower, detail, help] = areas.areas(frame.area());
    draw_head(board, now, frame, head);
    if let Some(text) = notice {
        frame.render_widget(Line::styled(text, theme::alarm()), noticed);
    }
    policies(board, frame, upper);
    let [_, title] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(title);
    frame.render_widget(Line::styled(about_keys(board), theme::heading()), title);
    if rows.is_empty() {
        frame.render_widget(Paragraph::new(why_empty(board)).wrap(Wrap { trim: true }), lower);
    } else {
        let selected = board.selected(&rows);
        keys(board, &rows, selected, frame, lower);
        let about = Paragraph::new(about(&rows[selected])).wrap(Wrap { trim: true });
        frame.render_widget(about, detail);
    }
    frame.render_widget(Line::styled(HELP, theme::quiet()), help);
}

/// Whom the figures are of, and how old they are.
fn draw_head(board: &Board, now: Millis, frame: &mut Frame<'_>, area: Rect) {
    let figures = board.history().last();
    let Store { kind, is_up, .. } = &figures.store;
    let state = if *is_up { "" } else { " down" };
    let parts = [
        format!("tollgate at {}", board.address()),
        format!("   store: {kind}{state}"),
        format!("   generation {}", figures.generation),
    ];
    let age = format!("{} ago", words::time(now.saturating_sub(figures.at) / 1_000));
    let width = u16::try_from(age.len() + 1).unwrap_or(u16::MAX);
    let [left_area, right_area] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).areas(area);
    // Half a part says less than none.
    let mut left = String::new();
    for part in parts {
        if left.is_empty() || left.len() + part.len() <= usize::from(left_area.width) {
            left += &part;
        }
    }
    frame.render_widget(Line::styled(left, theme::heading()), left_area);
    let style = if board.lost().is_some() { theme::alarm() } else { theme::heading() };
    frame.render_widget(Line::styled(age, style).right_aligned(), right_area);
}

/// What is wrong at the moment.
fn notice(board: &Board, now: Millis) -> Option<String> {
    if let Some(lost) = board.lost() {
        let time = words::time(now.saturating_sub(lost.since) / 1_000);
        return Some(format!("No answer for {time}, still trying: {}", lost.reason));
    }
    let store = &board.history().last().store;
    let down_for = store.down_for_ms.filter(|_| !store.is_up)?;
    let cause = store.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    Some(format!("The store is down for {}{cause}", words::time(down_for / 1_000)))
}

/// Which keys are listed.
fn about_keys(board: &Board) -> String {
    let whose = board.policy().unwrap_or("all policies");
    let [least, most] = board.history().last().minutes;
    format!("{whose}: {}, last {least} to {most} minutes", board.order().title())
}

fn why_empty(board: &Board) -> String {
    let [least, most] = board.history().last().minutes;
    let what = if board.order().is_of_refusals() { "was refused" } else { "came" };
    let under = board.policy().map(|policy| format!(" under {policy}")).unwrap_or_default();
    let of_policy = board.policy().map(|name| board.history().last().policy(name));
    let why = match of_policy {
        Some(None) => " There is no such policy.",
        Some(Some(policy)) => policy.why_silent(),
        None => "",
    };
    format!("No request {what}{under} in the last {least} to {most} minutes.{why}")
}

/// All that is known of one key.
fn about(row: &Row<'_>) -> String {
    let Row { name, figures, rates } = row;
    let counted = |estimate: super::figures::Estimate, rate: Option<f64>| {
        let at_most = match estimate.error {
            0 => String::new(),
            error => format!(", or up to {error} fewer"),
        };
        let rate = rate.map(|it| format!(", {} a second", words::rate(Some(it))));
        format!("{}{at_most}{}", estimate.count, rate.unwrap_or_default())
    };
    let mut text = format!("{} under {}:", name.key, name.policy);
    if let Some(refused) = figures.refused {
        text += &format!(" refused {}", counted(refused, rates.refused));
        if let Some(since) = figures.refused_for_seconds {
            text += &format!(", since {} ago", words::time(since));
        }
        text += ";";
    }
    match figures.requests {
        Some(requests) => text += &format!(" requests {}", counted(requests, rates.requests)),
        None => text += " not among the busiest",
    }
    text
}
