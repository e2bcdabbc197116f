//! Reads access logs: what servers and proxies write about the requests that they answered.

pub(crate) use self::field_path::FieldPath;
pub(crate) use self::format::Format;
pub(crate) use self::reader::{AccessLog, Progress, ReadOptions};
pub(crate) use self::request::LoggedRequest;
pub(crate) use self::summary::LogSummary;
#[cfg(test)]
pub(crate) use self::summary::{FileSummary, UnparsedLine};

mod address;
mod alb;
mod clf;
mod draft;
mod error;
mod escape;
mod field_path;
mod format;
mod json;
mod lines;
mod log_file;
mod merge;
mod number;
mod pattern;
mod pool;
mod reader;
mod recognition;
mod request;
mod role;
mod source;
mod summary;
mod tally;
mod times;
mod window;
mod words;
