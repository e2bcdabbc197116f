//! Lines of limited width.

use std::io::{self, Write};

use ratatui::text::Span;

use crate::app::simulate::show::words::plain;

/// No report is narrower.
const LEAST_WIDTH: u16 = 40;

/// No report is wider: long lines are hard to read.
const MOST_WIDTH: u16 = 120;

/// Prints lines. None has a control character, or ends with a space.
#[derive(Debug)]
pub(in crate::app) struct Printer<'a, W> {
    output: &'a mut W,
    width: u16,
    is_begun: bool,
}

impl<'a, W: Write> Printer<'a, W> {
    pub(in crate::app) fn new(output: &'a mut W, width: u16) -> Self {
        Self { output, width: width.clamp(LEAST_WIDTH, MOST_WIDTH), is_begun: false }
    }

    pub(super) fn width(&self) -> u16 {
        self.width
    }

    /// One line, of any width.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.is_begun = true;
        writeln!(self.output, "{}", plain(text.trim_end()))
    }

    /// One line, of which no more is printed than there is room for.
    pub(super) fn cut(&mut self, text: &str) -> io::Result<()> {
        let most = usize::from(self.width);
        if width(text) <= most {
            return self.line(text);
        }
        let mut begin = String::new();
        let mut used = 1;
        for letter in text.chars() {
            used += width(letter.encode_utf8(&mut [0; 4]));
            if used > most {
                break;
            }
            begin.push(letter);
        }
        self.line(&format!("{begin}…"))
    }

    /// A line of dashes below a line of text, and an empty line before.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        if self.is_begun {
            self.line("")?;
        }
        self.line(text)?;
        self.line(&"-".repeat(width(text).min(usize::from(self.width))))
    }

    /// Text in as many lines as it needs. `begin` begins the first line, and indents the others.
    pub(in crate::app) fn paragraph(&mut self, begin: &str, text: &str) -> io::Result<()> {
        let indent = " ".repeat(width(begin));
        let mut line = begin.to_owned();
        let mut is_empty = true;
        for word in text.split_whitespace() {
            if !is_empty && width(&line) + 1 + width(word) > usize::from(self.width) {
                self.line(&line)?;
                line.clone_from(&indent);
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        if is_empty { Ok(()) } else { self.line(&line) }
    }
}

/// How many columns of a terminal `text` takes.
pub(super) fn width(text: &str) -> usize {
    Span::raw(text).width()
}
