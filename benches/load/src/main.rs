//! The load harness: what a request costs, beside the same app without a limiter.
//!
//! `make bench` runs it. Contenders take turns, round by round, under the same load from `wrk`, and
//! are compared within a round, since a machine is never as fast twice.

mod abuse;
mod case;
mod chart;
mod contender;
mod fill;
mod fleet;
mod growth;
mod grpc;
mod lab;
mod latency;
mod machine;
mod options;
mod other_script;
mod outage;
mod outcome;
mod peer;
mod relay;
mod remote;
mod report;
mod result;
mod run;
mod sample;
mod script;
mod serve;
mod serve_axum;
mod setting;
mod soak;
mod start;
mod stats;
mod steady;
mod target;
mod wrk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::options::Options;
use self::serve_axum::AxumApp;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
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
    /// Stand between an app and Redis, and make the way longer
    Relay(relay::Options),
    /// Serve as one of the apps that Tollgate is compared with
    Serve(serve::Options),
    /// Serve as one of the apps on axum
    ServeAxum {
        app: AxumApp,
        #[arg(long)]
        listen: String,
        #[arg(long)]
        redis: String,
        /// Units allowed per hour
        #[arg(long)]
        units: u64,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(options) => run::all(&options),
        Command::Growth(options) => growth::all(&options),
        Command::Peers(options) => run::peers(&options),
        Command::Chart { results, output } => chart::draw(&results, &output),
        Command::Soak(options) => soak::run(&options),
        Command::Abuse(options) => abuse::run(&options),
        Command::Relay(options) => relay::run(&options),
        Command::Serve(options) => serve::serve(options),
        Command::ServeAxum { app, listen, redis, units } => {
            serve_axum::serve(app, &listen, &redis, units)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
