//! A table of text: numbers to the right, names to the left.

use std::io::{self, Write};

use super::printer::{Printer, width};

/// The spaces before each column.
const GAP: &str = "  ";

/// A table of `N` columns.
#[derive(Debug)]
pub(super) struct Table<const N: usize> {
    headings: [&'static str; N],
    /// So many of the first columns are numbers.
    numbers: usize,
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub(super) fn new(headings: [&'static str; N], numbers: usize) -> Self {
        Self { headings, numbers, rows: Vec::new() }
    }

    pub(super) fn push(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    pub(super) fn print(&self, page: &mut Printer<'_, impl Write>) -> io::Result<()> {
        let headings = self.headings.map(str::to_owned);
        let mut widths = headings.each_ref().map(|it| width(it));
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        for row in [&headings].into_iter().chain(&self.rows) {
            let cells = row.iter().zip(widths).enumerate();
            let line = cells.map(|(number, (cell, widest))| {
                let space = " ".repeat(widest - width(cell));
                let is_number = number < self.numbers;
                if is_number {
                    format!("{GAP}{space}{cell}")
                } else {
                    format!("{GAP}{cell}{space}")
                }
            });
            page.line(&line.collect::<String>())?;
        }
        Ok(())
    }
}
