//! The scripts that Redis runs, joined from the files in `lua/`.
//!
//! This file needs no other, so that `lua/print.rs` can show linters the same text.

macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!("../../../../lua/", $file, ".lua"))
    };
    ($name:literal in $file:literal) => {
        concat!("if algorithm == '", $name, "' then\n", lua!($file), "end\n")
    };
}

/// Decides and charges: helpers first, then the algorithms, then the step that joins them.
///
/// What makes of a policy the steps that decide under it is one function of all algorithms, so that a
/// call makes only those of the algorithms that it meets. The steps of penalties are there as well, and a call
/// without penalties does not make them.
pub const ACQUIRE: &str = concat!(
    lua!("shared"),
    "local function steps_of(algorithm, units, window, burst, now, longest_ban)\n",
    lua!("fixed-window" in "fixed_window"),
    lua!("sliding-window" in "sliding_window"),
    lua!("sliding-log" in "sliding_log"),
    lua!("token-bucket" in "token_bucket"),
    "if algorithm == 'penalty' then\nlocal denials, within, ban = units, window, burst\n",
    lua!("penalty"),
    "end\n",
    "end\n",
    lua!("acquire"),
);

/// Gives back what was charged in vain: in a cluster alone.
pub const REFUND: &str = concat!(lua!("shared"), lua!("refund"));

/// Reads and replaces the overrides that operators make.
pub const OVERRIDES: &str = concat!(lua!("shared"), lua!("overrides"));
