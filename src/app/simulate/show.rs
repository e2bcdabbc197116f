//! The forms of the report: text for a terminal or a file, JSON for programs, and a page for browsers.

pub(crate) use self::html::html;
pub(crate) use self::json::json;
pub(in crate::app) use self::text::printer::Printer;
pub(crate) use self::text::text;
pub(in crate::app) use self::words::count;

mod buckets;
mod facts;
mod html;
mod json;
mod sentences;
mod text;
mod times;
mod words;

#[cfg(test)]
mod tests;
