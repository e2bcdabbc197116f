//! How text stands out.

use ratatui::style::{Color, Style};

/// How text stands out, with colours or without.
#[derive(Clone, Copy)]
pub(super) struct Theme {
    has_colours: bool,
}

impl Theme {
    pub(super) fn new(has_colours: bool) -> Self {
        Self { has_colours }
    }

    pub(super) fn heading(self) -> Style {
        Style::new().bold()
    }

    /// What an operator should see first.
    pub(super) fn alarm(self) -> Style {
        let style = Style::new().bold();
        if self.has_colours { style.fg(Color::Red) } else { style }
    }

    pub(super) fn notice(self) -> Style {
        if self.has_colours { Style::new().fg(Color::Yellow) } else { Style::new() }
    }

    pub(super) fn quiet(self) -> Style {
        if self.has_colours { Style::new().fg(Color::DarkGray) } else { Style::new() }
    }
}
