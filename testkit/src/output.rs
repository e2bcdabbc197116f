//! The lines that a child process prints, kept for assertions and for the message of a failed test.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// What a process has printed so far.
#[derive(Debug)]
pub struct Output {
    printed: Vec<String>,
    arriving: Receiver<String>,
}

impl Output {
    /// Reads `stream` to its end on a thread of its own, so that the process never waits for us.
    pub fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, arriving) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { printed: Vec::new(), arriving }
    }

    /// All lines printed so far.
    pub fn lines(&mut self) -> &[String] {
        self.printed.extend(self.arriving.try_iter());
        &self.printed
    }

    /// Waits up to `patience` for the next line, or for the end of the output.
    pub fn wait(&mut self, patience: Duration) -> Next {
        match self.arriving.recv_timeout(patience) {
            Ok(line) => {
                self.printed.push(line);
                Next::Line
            }
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Asks `ready` again after each line and each silence of `every`, until it answers. `None` when
    /// the process closes its output or `patience` runs out first.
    pub fn until<T>(
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
            // Asked once more after the end, for what the last lines said.
            ended = matches!(self.wait(every.min(left)), Next::End);
        }
    }
}

/// What came of waiting for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A line came.
    Line,
    /// Nothing came in time.
    Nothing,
    /// There will be no more.
    End,
}
