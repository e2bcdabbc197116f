//! The load harness: what a request costs, beside the same app without a limiter.
//!
//! `make bench` runs it. Contenders take turns, round by round, under the same load from `wrk`, and
//! are compared within a round, since a machine is never as fast twice.

mod abuse;
mod case;
mod chart;
mod contender;
mod fill;
mod growth;
mod latency;
mod machine;
mod outage;
mod peer;
mod process;
mod redis_server;
mod report;
mod run;
mod sample;
mod script;
mod serve;
mod soak;
mod start;
mod stats;
mod steady;
mod target;
mod wrk;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// What `cargo bench` adds.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the cases, or one of them
    Run(Options),
    /// Measure how cost grows with connections, policies and keys
    Growth(Options),
    /// Measure what a user would pick instead
    Peers(Options),
    /// Draw the chart of what was measured last
    Chart {
        /// Where the measurements are
        #[arg(long)]
        results: PathBuf,
        /// The file to write
        #[arg(long)]
        output: PathBuf,
    },
    /// Break Redis again and again under load, and hold what was admitted to the promised bounds
    Soak(soak::Options),
    /// Abuse the server in every known way, and see how honest clients are served meanwhile
    Abuse(abuse::Options),
    /// Serve as one of the apps that Tollgate is compared with
    Serve(serve::Options),
}

/// How to measure.
#[derive(Args, Clone, Debug)]
struct Options {
    /// The command to measure
    #[arg(long)]
    tollgate: PathBuf,
    /// Where the results go
    #[arg(long)]
    results: PathBuf,
    /// One case, or one series; all without it
    #[arg(long, default_value = "")]
    case: String,
    /// How often every contender has its turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long a turn is
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How Redis is reached
    #[arg(long, default_value = "tcp")]
    transport: Transport,
    /// The most keys of the series
    #[arg(long, default_value_t = 1_000_000)]
    most_keys: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum Transport {
    Tcp,
    Unix,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        None => {
            println!("The load harness is run by `make bench`.");
            Ok(())
        }
        Some(Command::Run(options)) => run::all(&options),
        Some(Command::Growth(options)) => growth::all(&options),
        Some(Command::Peers(options)) => run::peers(&options),
        Some(Command::Chart { results, output }) => chart::draw(&results, &output),
        Some(Command::Soak(options)) => soak::run(&options),
        Some(Command::Abuse(options)) => abuse::run(&options),
        Some(Command::Serve(options)) => serve::serve(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
