//! How text stands out. Where `NO_COLOR` is set, the terminal is written to without the colours.

use ratatui::style::{Color, Style};

pub(super) fn heading() -> Style {
    Style::new().bold()
}

/// What an operator should see first.
pub(super) fn alarm() -> Style {
    Style::new().bold().fg(Color::Red)
}

pub(super) fn notice() -> Style {
    Style::new().fg(Color::Yellow)
}

pub(super) fn quiet() -> Style {
    Style::new().fg(Color::DarkGray)
}
