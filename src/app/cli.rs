//! The command line: which command to run, and the exit code that it ends with.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fmt};

use clap::{CommandFactory as _, Parser, Subcommand};

use self::check::CheckOptions;
use self::import::ImportCommand;
use self::keys::{KeysCommand, NewKeyOptions};
use self::operate::{Environment, Operate};
use self::options::Options;
use self::reload::ReloadOptions;
use self::shipped::{CompletionsOptions, ManOptions};
use self::simulate::SimulateOptions;
use self::suggest::SuggestOptions;
use crate::app::config;
use crate::app::config::{Config, ConfigErrors, Sources};
use crate::app::doctor;
use crate::app::error::AppError;
use crate::app::serve;

mod check;
mod import;
mod interruption;
mod keys;
mod log_options;
mod log_progress;
mod logging;
mod operate;
mod options;
mod reload;
mod shipped;
mod simulate;
mod suggest;

/// The file that is read if there is no `--config`, and if it exists.
const DEFAULT_FILE: &str = "config.toml";

/// Runs the command that this process was given, and returns its exit code.
#[must_use]
pub fn run() -> ExitCode {
    match execute(env::args_os(), env::vars_os().collect(), Some(DEFAULT_FILE.into()), perform) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::from(error.exit_code())
        }
    }
}

/// An atomic rate limiter for HTTP APIs.
#[derive(Parser)]
#[command(name = "tollgate", version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests; also what happens without a command
    Serve(Options),
    /// Say whether the store is fit for production; charges nothing but keys of its own
    Doctor(Options),
    /// Say whether a configuration is valid, and what in it is probably not meant
    Check(CheckOptions),
    /// Say what a configuration would have done with the requests of access logs
    Simulate(SimulateOptions),
    /// Say which quotas would have refused few of the clients of access logs
    Suggest(SuggestOptions),
    /// Have a process that serves read its configuration again, or say what that would change
    Reload(ReloadOptions),
    #[command(flatten)]
    Operate(Operate),
    /// Make API keys
    // Alone it is an error that says what is missing, where clap would print the help for one.
    #[command(subcommand, arg_required_else_help = false)]
    Keys(KeysCommand),
    /// Turn the configuration of another rate limiter into one of Tollgate
    #[command(subcommand, arg_required_else_help = false)]
    Import(ImportCommand),
    /// Print completions for a shell
    #[command(hide = true)]
    Completions(CompletionsOptions),
    /// Print the page of the manual
    #[command(hide = true)]
    Man(ManOptions),
}

/// What to do with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Serve,
    Doctor,
}

/// Reads the command line and the configuration, and calls `perform` if both are good. Arguments and
/// environment are parameters, so that tests need no process.
fn execute<E: Into<Box<dyn Error>>>(
    arguments: impl IntoIterator<Item = OsString>,
    variables: BTreeMap<OsString, OsString>,
    default_file: Option<PathBuf>,
    perform: impl FnOnce(Action, Config, &Sources) -> Result<(), E>,
) -> Result<(), CliError> {
    let Cli { options: all, command } = Cli::try_parse_from(arguments).map_err(CliError::Usage)?;
    let sources = |mut all: Options, options: Option<Options>, variables| {
        // Options may stand before and after the command.
        if let Some(options) = options {
            all.files.extend(options.files);
            all.settings.extend(options.settings);
        }
        let Options { files, settings } = all;
        Sources { files, default_file, variables, settings }
    };
    let (action, options) = match command {
        Some(Command::Serve(options)) => (Action::Serve, Some(options)),
        Some(Command::Doctor(options)) => (Action::Doctor, Some(options)),
        // Keys are made before there is a configuration to store them in.
        Some(Command::Keys(KeysCommand::New(options))) => return new_key(&options),
        Some(Command::Keys(KeysCommand::Token)) => return new_token(),
        Some(Command::Import(it)) => return import::run(&it).map_err(CliError::Other),
        Some(Command::Completions(options)) => {
            return written(shipped::completions(
                &options,
                Cli::command(),
                &mut io::stdout().lock(),
            ));
        }
        Some(Command::Man(options)) => {
            return written(shipped::man(&options, Cli::command(), &mut io::stdout().lock()));
        }
        Some(Command::Reload(ReloadOptions { common, check })) => {
            let (json, options) = (common.json, common.options.clone());
            let environment = Environment::of(&variables);
            let sources = sources(all, Some(options), variables);
            if !check.is_empty() {
                return check_reload(&sources, check, json);
            }
            let config = config::load(&sources).map_err(CliError::Configuration)?;
            return operate::reload(&config, &common, environment.token)
                .map_err(|error| CliError::Other(error.into()));
        }
        Some(Command::Operate(command)) => {
            let options = command.common().options.clone();
            let environment = Environment::of(&variables);
            let sources = sources(all, Some(options), variables);
            let config = config::load(&sources).map_err(CliError::Configuration)?;
            return operate::operate(&command, &config, &environment)
                .map_err(|error| CliError::Other(error.into()));
        }
        Some(Command::Simulate(options)) => {
            let current = (!options.against.is_empty()).then(|| Sources {
                files: options.against.clone(),
                default_file: None,
                variables: variables.clone(),
                settings: Vec::new(),
            });
            let candidate = sources(all, Some(options.options.clone()), variables);
            return simulated(&options, &candidate, current.as_ref());
        }
        Some(Command::Check(CheckOptions { options, strict, json })) => {
            return check_config(&sources(all, Some(options), variables), strict, json);
        }
        Some(Command::Suggest(options)) => {
            return suggested(&options, &sources(all, Some(options.options.clone()), variables));
        }
        None => (Action::Serve, None),
    };
    let sources = sources(all, options, variables);
    let config = config::load(&sources).map_err(CliError::Configuration)?;
    perform(action, config, &sources).map_err(|error| CliError::Other(error.into()))
}

fn perform(action: Action, config: Config, sources: &Sources) -> Result<(), Box<dyn Error>> {
    match action {
        Action::Serve => Ok(serve(&config, sources)?),
        Action::Doctor => Ok(doctor::examine(&config, &mut io::stdout().lock())?),
    }
}

/// The end of a command that only writes.
fn written(result: io::Result<()>) -> Result<(), CliError> {
    result.map_err(|error| CliError::Other(error.into()))
}

fn new_key(options: &NewKeyOptions) -> Result<(), CliError> {
    written(keys::new(options, &mut io::stdout().lock(), &mut io::stderr().lock()))
}

fn check_config(sources: &Sources, strict: bool, json: bool) -> Result<(), CliError> {
    let written = check::check(sources, json, &mut io::stdout().lock());
    let found = written.map_err(CliError::Configuration)?;
    match found.map_err(|error| CliError::Other(error.into()))? {
        0 => Ok(()),
        _ if !strict => Ok(()),
        1 => Err(CliError::Other("the check has 1 finding, and --strict wants none".into())),
        number => {
            let message = format!("the check has {number} findings, and --strict wants none");
            Err(CliError::Other(message.into()))
        }
    }
}

fn simulated(
    options: &SimulateOptions,
    candidate: &Sources,
    current: Option<&Sources>,
) -> Result<(), CliError> {
    let done = simulate::simulate(options, candidate, current, &mut io::stdout().lock());
    done.map_err(CliError::Configuration)?.map_err(|error| CliError::Other(error.into()))
}

fn suggested(options: &SuggestOptions, sources: &Sources) -> Result<(), CliError> {
    let config = config::load(sources).map_err(CliError::Configuration)?;
    let written = suggest::suggest(options, &config, &mut io::stdout().lock());
    written.map_err(|error| CliError::Other(error.into()))
}

fn new_token() -> Result<(), CliError> {
    written(keys::token(&mut io::stdout().lock(), &mut io::stderr().lock()))
}

fn check_reload(sources: &Sources, files: Vec<PathBuf>, json: bool) -> Result<(), CliError> {
    let written = reload::check(sources, files, json, &mut io::stdout().lock());
    written.map_err(CliError::Configuration)?.map_err(|error| CliError::Other(error.into()))
}

fn serve(config: &Config, sources: &Sources) -> Result<(), AppError> {
    let _summaries = logging::start(config.log.format);
    serve::serve(config, sources)
}

/// Why a command failed.
#[derive(Debug)]
enum CliError {
    /// The arguments make no sense; or they ask for help, which clap reports as an error too.
    Usage(clap::Error),
    Configuration(ConfigErrors),
    Other(Box<dyn Error>),
}

impl CliError {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(error) if !error.use_stderr() => 0,
            Self::Usage(_) => 2,
            Self::Configuration(_) => 78, // EX_CONFIG of sysexits.h
            Self::Other(_) => 1,
        }
    }

    /// Writes it to the stream that it belongs to. An error is ignored: a closed stream has no reader.
    fn report(&self) {
        let _ = match self {
            Self::Usage(error) if !error.use_stderr() => error.print(),
            _ => writeln!(io::stderr().lock(), "{self}"),
        };
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(error) => {
                let text = error.to_string();
                write!(f, "tollgate: {}", text.strip_prefix("error: ").unwrap_or(&text).trim_end())
            }
            Self::Configuration(errors) => {
                for (index, line) in errors.lines().enumerate() {
                    let newline = if index == 0 { "" } else { "\n" };
                    write!(f, "{newline}tollgate: {line}")?;
                }
                Ok(())
            }
            Self::Other(error) => {
                write!(f, "tollgate: {error}")?;
                let mut source = error.source();
                while let Some(cause) = source {
                    write!(f, ": {cause}")?;
                    source = cause.source();
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
