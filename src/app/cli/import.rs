//! `tollgate import`: turns the configuration of another rate limiter into one of Tollgate.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::import::{self, ImportError, RatelimitConfig};

#[derive(Subcommand)]
pub(super) enum ImportCommand {
    /// Of Envoy's own rate limit service: prints the configuration in TOML
    EnvoyRatelimit(EnvoyRatelimitOptions),
}

#[derive(Args)]
pub(super) struct EnvoyRatelimitOptions {
    /// The files of that service's configuration, in YAML
    #[arg(value_name = "CONFIG", required = true)]
    files: Vec<PathBuf>,
}

/// Prints what `command` imports.
///
/// # Errors
/// As of [`envoy_ratelimit`].
pub(super) fn run(command: &ImportCommand) -> Result<(), Box<dyn Error>> {
    let ImportCommand::EnvoyRatelimit(options) = command;
    envoy_ratelimit(options, &mut io::stdout().lock(), &mut io::stderr().lock())
}

/// Writes the configuration to `output`, and to `hints` how much in it needs a look.
///
/// # Errors
/// When a file cannot be read, or is no such configuration. Nothing is written then. Also when `output` is closed.
fn envoy_ratelimit(
    options: &EnvoyRatelimitOptions,
    output: &mut impl Write,
    hints: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let read = |file: &PathBuf| {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| ImportError::io(&name, error))?;
        RatelimitConfig::read(&name, &text)
    };
    let configs = options.files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let imported = import::converted(&configs)?;
    output.write_all(import::text(&imported).as_bytes())?;
    output.flush()?;
    // A closed stream means that nobody wants hints.
    let _ = match imported.notes() {
        0 => writeln!(hints, "All of it has a counterpart. `tollgate check` reads it."),
        1 => writeln!(hints, "One thing needs a look: search for \"# note:\"."),
        notes => writeln!(hints, "{notes} things need a look: search for \"# note:\"."),
    };
    Ok(())
}
