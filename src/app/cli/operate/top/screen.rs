//! The terminal while the view has it.

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::terminal::is_raw_mode_enabled;
use ratatui::{DefaultTerminal, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

/// How long a key is waited for, which is how soon news is shown.
const PATIENCE: Duration = Duration::from_millis(100);

/// The terminal, as it was before once this is dropped. A panic restores it too, before its message is written.
pub(super) struct Screen {
    /// Never dropped: it panics if the terminal is gone.
    terminal: ManuallyDrop<DefaultTerminal>,
    is_told_to_end: Arc<AtomicBool>,
    /// Whether the library may have read more of what was typed than the last key.
    may_have_read_more: bool,
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
            // A second one ends it at once.
            flag::register_conditional_shutdown(signal, 1, is_told_to_end.clone())?;
            flag::register(signal, is_told_to_end.clone())?;
        }
        match ratatui::try_init() {
            Ok(terminal) => {
                let terminal = ManuallyDrop::new(terminal);
                Ok(Self { terminal, is_told_to_end, may_have_read_more: false })
            }
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
        let is_typed = self.has_input()?;
        if self.is_told_to_end() || !is_typed && !self.may_have_read_more {
            return Ok(None);
        }
        self.may_have_read_more = event::poll(Duration::ZERO)?;
        if !self.may_have_read_more {
            return Ok(None);
        }
        Ok(match event::read()? {
            Event::Key(key) if key.kind == KeyEventKind::Press => Some(key),
            // Whatever else it is, as another size, the next look draws it.
            _ => None,
        })
    }

    /// Whether something is typed within a moment. The library would read from a terminal that is gone without an end.
    fn has_input(&self) -> io::Result<bool> {
        let patience = if self.may_have_read_more { Duration::ZERO } else { PATIENCE };
        let patience = Timespec::try_from(patience).unwrap_or_default();
        let stdin = io::stdin();
        let mut typed = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut typed, Some(&patience)) {
            // It was a signal, such as that of another size.
            Err(Errno::INTR) => return Ok(false),
            other => other?,
        };
        let seen = typed[0].revents();
        if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            self.is_told_to_end.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        Ok(seen.contains(PollFlags::IN))
    }

    /// Whether a signal asks for the end, or the terminal is gone.
    pub(super) fn is_told_to_end(&self) -> bool {
        self.is_told_to_end.load(Ordering::Relaxed)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // If the terminal is gone, nothing is left to restore.
        let _ = self.terminal.show_cursor();
        // After a panic it is restored. To do so again would move the cursor back over the message.
        if is_raw_mode_enabled().unwrap_or(true) {
            let _ = ratatui::try_restore();
        }
    }
}
