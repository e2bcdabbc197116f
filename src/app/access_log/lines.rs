//! The lines of a file, in bounded memory: [`Lines`].

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memrchr};

/// The longest line that is read, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// How much is read at once, at least.
const BUFFER: usize = 256 * 1024;

/// How much is read ahead.
const PEEKED: usize = 64 * 1024;

/// The mark that some editors put at the beginning of a text in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines of a file.
pub(super) struct Lines {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    /// What of the buffer is read and not yet handed out.
    unread: Range<usize>,
    is_at_end: bool,
    /// The number of the last line, from 1.
    number: u64,
}

/// A line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Its bytes; of a line that is too long, its beginning.
    pub(super) text: &'a [u8],
    pub(super) is_too_long: bool,
    /// Its number, from 1.
    pub(super) number: u64,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self {
            reader,
            buffer: vec![0; BUFFER + LONGEST],
            unread: 0..0,
            is_at_end: false,
            number: 0,
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// If the file cannot be read on. A line without its end is lost then.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let end = loop {
            let unread = &self.buffer[self.unread.clone()];
            match memchr(b'\n', &unread[searched..]) {
                Some(at) => break searched + at,
                None if self.is_at_end => break unread.len(),
                None if unread.len() > LONGEST => return self.skip_long_line().map(Some),
                None => {
                    searched = unread.len();
                    self.fill()?;
                }
            }
        };
        let start = self.unread.start;
        let after = (start + end + 1).min(self.unread.end);
        if after == start {
            return Ok(None);
        }
        self.unread.start = after;
        self.number += 1;
        let text = &self.buffer[start..start + end];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let is_too_long = text.len() > LONGEST;
        let text = if is_too_long { &text[..LONGEST] } else { text };
        Ok(Some(Line { text: without_mark(text, self.number), is_too_long, number: self.number }))
    }

    /// The lines at the beginning, which stay to be read; those that can be read, if an error comes after them.
    ///
    /// # Errors
    /// If nothing can be read.
    pub(super) fn peek(&mut self) -> io::Result<impl Iterator<Item = &[u8]>> {
        while !self.is_at_end && self.unread.len() < PEEKED {
            match self.fill() {
                Err(error) if self.unread.is_empty() => return Err(error),
                Err(_) => break,
                Ok(()) => {}
            }
        }
        let bytes = without_mark(&self.buffer[self.unread.clone()], 1);
        let end = if self.is_at_end { None } else { memrchr(b'\n', bytes) };
        let lines = bytes[..end.unwrap_or(bytes.len())].split(|byte| *byte == b'\n');
        Ok(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Skips the line at the beginning of what is unread, which goes on beyond it; returns its beginning.
    fn skip_long_line(&mut self) -> io::Result<Line<'_>> {
        // The beginning stays at the start of the buffer, and the rest of the line is read over what is behind it.
        self.buffer.copy_within(self.unread.start..self.unread.start + LONGEST, 0);
        self.number += 1;
        loop {
            self.unread = LONGEST..LONGEST;
            let read = read(&mut self.reader, &mut self.buffer[LONGEST..])?;
            if read == 0 {
                self.is_at_end = true;
                break;
            }
            let end = LONGEST + read;
            if let Some(at) = memchr(b'\n', &self.buffer[LONGEST..end]) {
                self.unread = LONGEST + at + 1..end;
                break;
            }
        }
        let text = without_mark(&self.buffer[..LONGEST], self.number);
        Ok(Line { text, is_too_long: true, number: self.number })
    }

    /// Reads on behind what is unread.
    fn fill(&mut self) -> io::Result<()> {
        if self.unread.start > 0 {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        let read = read(&mut self.reader, &mut self.buffer[self.unread.end..])?;
        self.is_at_end = read == 0;
        self.unread.end += read;
        Ok(())
    }
}

/// Reads once, unless a signal comes between.
fn read(reader: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn without_mark(text: &[u8], number: u64) -> &[u8] {
    let marked = if number == 1 { text.strip_prefix(BYTE_ORDER_MARK) } else { None };
    marked.unwrap_or(text)
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
