//! The lines that a child process prints, kept for assertions and for the message of a failed test.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What a process has printed so far.
#[derive(Debug)]
pub(crate) struct Output {
    printed: Vec<String>,
    /// Behind a lock, so that several threads may share the process.
    arriving: Mutex<Receiver<String>>,
}

impl Output {
    /// Reads `stream` to its end on a thread of its own, so that the process never waits for us.
    pub(crate) fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, arriving) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { printed: Vec::new(), arriving: Mutex::new(arriving) }
    }

    /// All lines printed so far.
    pub(crate) fn lines(&mut self) -> &[String] {
        self.printed.extend(arriving(&mut self.arriving).try_iter());
        &self.printed
    }

    /// Asks `ready` again after each line and each silence of `every`, until it answers. `None` when
    /// the process closes its output or `patience` runs out first.
    pub(crate) fn until<T>(
        &mut self,
        patience: Duration,
        every: Duration,
        mut ready: impl FnMut(&[String]) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut ended = false;
        loop {
            let found = ready(self.lines());
            let left = deadline.saturating_duration_since(Instant::now());
            if found.is_some() || ended || left.is_zero() {
                return found;
            }
            match arriving(&mut self.arriving).recv_timeout(every.min(left)) {
                Ok(line) => self.printed.push(line),
                Err(RecvTimeoutError::Timeout) => {}
                // Asked once more after the end, for what the last lines said.
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
        }
    }
}

fn arriving(lines: &mut Mutex<Receiver<String>>) -> &mut Receiver<String> {
    lines.get_mut().unwrap_or_else(PoisonError::into_inner)
}
