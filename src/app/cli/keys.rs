//! `tollgate keys`: makes API keys. Only their owners keep them.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::app::auth::NewKey;
use crate::domain::policy::{PolicyError, is_name};

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Make a key for a user: prints it, this once, and the line to store
    New(NewKeyOptions),
    /// Make a token for operators: prints it, this once, and the line to store
    Token,
}

#[derive(Args)]
pub(super) struct NewKeyOptions {
    /// Whose key it is
    #[arg(long, value_name = "ID", value_parser = plain_text)]
    user: String,
    /// The plan that the user has booked
    #[arg(long, value_name = "NAME", value_parser = plan_name)]
    plan: Option<String>,
}

/// Prints a new key and the line to store to `output`, and what to do with them to `hints`.
///
/// # Errors
/// When there are no random bits, or `output` is closed. The key is then lost, which does no harm.
pub(super) fn new(
    options: &NewKeyOptions,
    output: &mut impl Write,
    hints: &mut impl Write,
) -> io::Result<()> {
    let key = NewKey::generate().map_err(io::Error::other)?;
    writeln!(output, "{key}")?;
    write!(output, "{} = {{ user = {}", key.digest(), quoted(&options.user))?;
    if let Some(plan) = &options.plan {
        write!(output, ", plan = {}", quoted(plan))?;
    }
    writeln!(output, " }}")?;
    output.flush()?;
    // A closed stream means that nobody wants hints.
    let _ = writeln!(
        hints,
        "The first line is the key: hand it to its user, for it is not shown again. The second line \
         is what to store: under [auth.keys] in the configuration, or in the file auth.keys_file."
    );
    Ok(())
}

/// Prints a new token of operators and the line to store to `output`, and what to do with them to `hints`.
///
/// # Errors
/// As of [`new`].
pub(super) fn token(output: &mut impl Write, hints: &mut impl Write) -> io::Result<()> {
    let key = NewKey::generate().map_err(io::Error::other)?;
    writeln!(output, "{key}")?;
    writeln!(output, "token_sha256 = \"{}\"", key.digest())?;
    output.flush()?;
    let _ = writeln!(
        hints,
        "The first line is the token, for TOLLGATE_ADMIN_TOKEN: it is not shown again. The second line is what \
         to store under [admin]; as read_token_sha256, the token may only read."
    );
    Ok(())
}

/// `text` as a TOML string. JSON has the same escapes, except for control characters, which [`plain_text`]
/// refuses.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn plain_text(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err("expected at least one character, and no control characters");
    }
    Ok(text.to_owned())
}

/// Checks the name of a plan now: the configuration would refuse a bad one only later.
fn plan_name(text: &str) -> Result<String, PolicyError> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(PolicyError::Plan(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
