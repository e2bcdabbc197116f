//! How to measure.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What the commands that measure are told.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// The command to measure
    #[arg(long)]
    pub(crate) tollgate: PathBuf,
    /// Where the results go
    #[arg(long)]
    pub(crate) results: PathBuf,
    /// One case, or one series; all without it
    #[arg(long, default_value = "")]
    pub(crate) case: String,
    /// How often every contender has its turn
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// How long a turn is
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    /// How Redis is reached
    #[arg(long, default_value = "tcp")]
    pub(crate) transport: Transport,
    /// How far Redis is in the case `remote`, in milliseconds each way
    #[arg(long, value_delimiter = ',', default_value = "0.25,0.5,1")]
    pub(crate) delays: Vec<f64>,
    /// Over how many connections requests come there
    #[arg(long, value_delimiter = ',', default_value = "1,8,64,256")]
    pub(crate) connections: Vec<u32>,
    /// The most keys of the series
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) most_keys: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Tcp,
    Unix,
}
