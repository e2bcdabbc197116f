//! The options of commands that read access logs.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Args;

use crate::app::access_log::{FieldPath, Format, ReadOptions};

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
    /// What to read, and how. No file at all is the standard input, which ends early once `stop` is set.
    pub(super) fn read_options(&self, stop: &Arc<AtomicBool>) -> ReadOptions {
        ReadOptions {
            files: self.logs.clone(),
            format: self.format.clone(),
            fields: self.fields.clone(),
            stop: Arc::clone(stop),
        }
    }
}
