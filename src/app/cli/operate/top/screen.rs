//! The terminal while the view has it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::terminal::is_raw_mode_enabled;
use ratatui::{DefaultTerminal, Frame};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

/// How long a key is waited for, which is how soon news is shown.
const PATIENCE: Duration = Duration::from_millis(100);

/// The terminal, as it was before once this is dropped. A panic restores it too, before its message is written.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    is_told_to_end: Arc<AtomicBool>,
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When the terminal cannot do what the view needs.
    pub(super) fn open() -> io::Result<Self> {
        let is_told_to_end = Arc::new(AtomicBool::new(false));
        // By default these signals would end the process at once, and leave the terminal as the view has it.
        for signal in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
            flag::register(signal, is_told_to_end.clone())?;
        }
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self { terminal, is_told_to_end }),
            Err(error) => {
                // A part of it may have been done.
                let _ = ratatui::try_restore();
                Err(error)
            }
        }
    }

    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(drop)
    }

    /// The next key that is pressed within a moment, if there is one.
    pub(super) fn next_key(&mut self) -> io::Result<Option<KeyEvent>> {
        if !event::poll(PATIENCE)? {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind == KeyEventKind::Press => Some(key),
            // Whatever else it is, as another size, the next look draws it.
            _ => None,
        })
    }

    /// Whether a signal asks for the end.
    pub(super) fn is_told_to_end(&self) -> bool {
        self.is_told_to_end.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // After a panic it is restored. To do so again would move the cursor back over the message.
        if is_raw_mode_enabled().unwrap_or(true) {
            // If the terminal is gone, nothing is left to restore.
            let _ = ratatui::try_restore();
        }
    }
}
