//! The terminal while the view has it.

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use ratatui::crossterm::terminal::is_raw_mode_enabled;
use ratatui::{DefaultTerminal, Frame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

/// How long a key is waited for, which is how soon news is shown.
const PATIENCE: Duration = Duration::from_millis(100);

/// The terminal, as it was before once this is dropped. A panic restores it too, before its message is written.
pub(super) struct Screen {
    /// Never dropped: it panics if the terminal is gone.
    terminal: ManuallyDrop<DefaultTerminal>,
    is_told_to_end: Arc<AtomicBool>,
    /// What is typed.
    keys: Receiver<KeyEvent>,
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
                Ok(Self { terminal, is_told_to_end, keys: typed() })
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
    pub(super) fn next_key(&mut self) -> Option<KeyEvent> {
        match self.keys.recv_timeout(PATIENCE) {
            Ok(key) => Some(key),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                self.is_told_to_end.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    /// Whether a signal asks for the end, or the terminal is gone.
    pub(super) fn is_told_to_end(&self) -> bool {
        self.is_told_to_end.load(Ordering::Relaxed) || is_gone()
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

/// What is typed from now on. A thread of its own reads it, since the library reads without an end from a terminal that
/// is gone. The thread ends with the process.
fn typed() -> Receiver<KeyEvent> {
    let (sender, keys) = channel();
    thread::spawn(move || {
        while let Ok(event) = event::read() {
            // Whatever else it is, as another size, the next look draws it.
            let Event::Key(key) = event else { continue };
            if key.kind == KeyEventKind::Press && sender.send(key).is_err() {
                return;
            }
        }
    });
    keys
}

/// Whether nobody is at the other end of the terminal any more.
fn is_gone() -> bool {
    let stdin = io::stdin();
    let mut seen = [PollFd::new(&stdin, PollFlags::empty())];
    let is_seen = poll(&mut seen, Some(&Timespec::default())).is_ok();
    is_seen && seen[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}
