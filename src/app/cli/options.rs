//! The options of commands that read a configuration.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Clone, Default)]
pub(super) struct Options {
    /// Read this file instead of ./config.toml; the last of several wins
    #[arg(long = "config", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// Set one option over files and environment, as in store.timeout_ms=20
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) settings: Vec<String>,
}
