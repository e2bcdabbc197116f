//! How far the reading of access logs is, on a terminal.

use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::app::access_log::Progress;

/// How often it is drawn anew.
const EVERY: Duration = Duration::from_millis(200);

/// A bar on standard error; nothing if that is no terminal.
#[derive(Debug)]
pub(super) struct LogProgress(ProgressBar);

impl LogProgress {
    pub(super) fn start() -> Self {
        let bar = ProgressBar::no_length();
        bar.enable_steady_tick(EVERY);
        Self(bar)
    }

    /// Shows how far it is.
    pub(super) fn show(&self, progress: Progress) {
        if self.0.length() != progress.bytes_total {
            let template = match progress.bytes_total {
                Some(_) => "{bar:20} {percent} %, {msg}, {eta} left",
                None => "{spinner} {bytes}, {msg}",
            };
            // A template that cannot be read leaves the default.
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.0.set_style(style);
            }
            match progress.bytes_total {
                Some(total) => self.0.set_length(total),
                None => self.0.unset_length(),
            }
        }
        self.0.set_position(progress.bytes_read);
        let seconds = self.0.elapsed().as_secs().max(1);
        let (lines, rate) = (HumanCount(progress.lines), HumanCount(progress.lines / seconds));
        self.0.set_message(format!("{lines} lines, {rate} a second"));
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
