//! What the commands of operators take from the environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::app::config::TOKEN_VARIABLE;

/// What the commands of operators take from the environment.
#[derive(Clone, Debug, Default)]
pub(in crate::app::cli) struct Environment {
    /// The token that the process asks for.
    pub(in crate::app::cli) token: Option<String>,
    /// Who runs the command.
    pub(super) user: Option<String>,
    /// Whether the terminal can only print.
    pub(super) is_dumb: bool,
}

impl Environment {
    pub(in crate::app::cli) fn of(variables: &BTreeMap<OsString, OsString>) -> Self {
        let value = |name: &str| variables.get(OsStr::new(name)).filter(|it| !it.is_empty());
        let text = |name: &str| value(name)?.to_str().map(str::to_owned);
        Self {
            token: text(TOKEN_VARIABLE),
            user: text("USER"),
            is_dumb: value("TERM").is_none_or(|term| term == "dumb"),
        }
    }
}
