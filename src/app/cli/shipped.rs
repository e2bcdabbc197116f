//! Hidden commands for whoever installs this one: completions for shells, and pages of the manual.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

#[derive(Args)]
pub(super) struct CompletionsOptions {
    /// The shell that reads them
    shell: Shell,
}

#[derive(Args)]
pub(super) struct ManOptions {
    /// Write a page for each command into this directory, instead of the first page to standard output
    directory: Option<PathBuf>,
}

/// Sections of the manual's first page, each with terms and what they mean.
type Section = (&'static str, &'static [(&'static str, &'static str)]);

const ABOUT: [Section; 3] = [
    (
        "EXIT STATUS",
        &[
            ("0", "Success."),
            ("1", "The command failed: one sentence on standard error says why."),
            ("2", "The command line makes no sense."),
            ("78", "The configuration is wrong: each line on standard error names an option."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            (
                "TOLLGATE_SECTION__OPTION",
                "Sets an option over all files, as TOLLGATE_STORE__URL sets store.url.",
            ),
            ("TOLLGATE_ADMIN_TOKEN", "The token of an operator, for commands that ask a process."),
            ("NOTIFY_SOCKET", "Where systemd is told that the process serves, reloads or stops."),
        ],
    ),
    (
        "FILES",
        &[
            ("./config.toml", "The configuration that is read if there is no --config."),
            ("/etc/tollgate/config.toml", "The configuration of the service."),
        ],
    ),
];

/// Prints what a shell has to read so that it completes the command line of `command`.
///
/// # Errors
/// When `output` is closed.
pub(super) fn completions(
    options: &CompletionsOptions,
    mut command: Command,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut text = Vec::new();
    generate(options.shell, &mut command, "tollgate", &mut text);
    output.write_all(&text)
}

/// Prints the first page of the manual of `command`, or writes all pages.
///
/// # Errors
/// When `output` is closed, or the directory cannot be written.
pub(super) fn man(
    options: &ManOptions,
    command: Command,
    output: &mut impl Write,
) -> io::Result<()> {
    // `help` needs no page of its own.
    let command = command.disable_help_subcommand(true);
    match &options.directory {
        None => first_page(command, output),
        Some(directory) => {
            clap_mangen::generate_to(command.clone(), directory)?;
            first_page(command, &mut File::create(directory.join("tollgate.1"))?)
        }
    }
}

/// The page of the command itself, with what holds for all of its commands.
fn first_page(command: Command, output: &mut impl Write) -> io::Result<()> {
    Man::new(command).render(output)?;
    let mut more = Roff::new();
    for (title, terms) in ABOUT {
        more.control("SH", [title]);
        for (term, text) in terms {
            more.control("TP", []).text([roman(*term)]).text([roman(*text)]);
        }
    }
    more.to_writer(output)
}
