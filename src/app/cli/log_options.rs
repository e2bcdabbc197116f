//! The options of commands that read access logs.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::app::access_log::{AccessLog, FieldPath, Format, ReadOptions};
use crate::app::error::AppError;

#[derive(Args)]
pub(super) struct LogOptions {
    /// Read these access logs, in any order; - or none is the standard input
    #[arg(value_name = "ACCESS_LOG")]
    pub(super) logs: Vec<PathBuf>,
    /// Read lines in this format, and do not look for it
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Find a field of lines of JSON here, as in user=jwt.sub; may be repeated
    #[arg(long = "field", value_name = "NAME=PATH")]
    pub(super) fields: Vec<FieldPath>,
}

impl LogOptions {
    /// Opens the logs. No file at all is the standard input, which ends early once `stop` is set.
    ///
    /// # Errors
    /// When a log cannot be read, or there is none.
    pub(super) fn open(&self, stop: &Arc<AtomicBool>) -> Result<AccessLog, AppError> {
        if self.logs.is_empty() && io::stdin().is_terminal() {
            let better = "name its files, or pipe it into the standard input";
            return Err(AppError::new("there is no log to read", better));
        }
        let options = ReadOptions {
            files: self.logs.clone(),
            format: self.format.clone(),
            fields: self.fields.clone(),
            stop: Arc::clone(stop),
        };
        AccessLog::open(&options).map_err(|error| AppError::new("the log cannot be read", error))
    }
}
