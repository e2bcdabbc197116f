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

/// Decides and charges: the algorithms, then the step that joins them.
///
/// Redis creates the functions of a script again with every call. So most calls create none: those
/// of the algorithms, and what they share, stand in one function, and the steps of an algorithm are
/// created for a policy that needs them. Penalties have steps as well.
pub const ACQUIRE: &str = concat!(
    lua!("constants"),
    "local function create_steps_of()\n",
    lua!("shared"),
    "local function steps_of(algorithm, units, window, burst, now, longest_ban, holder)\n",
    lua!("fixed-window" in "fixed_window"),
    "if algorithm == 'calendar-window' then\nlocal starts = window\n",
    lua!("calendar_window"),
    "end\n",
    lua!("sliding-window" in "sliding_window"),
    lua!("sliding-log" in "sliding_log"),
    lua!("token-bucket" in "token_bucket"),
    lua!("in-flight" in "in_flight"),
    "if algorithm == 'penalty' then\nlocal denials, within, ban = units, window, burst\n",
    lua!("penalty"),
    "end\n",
    "end\n",
    "return steps_of\n",
    "end\n",
    "local steps_of\n",
    lua!("counts"),
    lua!("acquire"),
);

/// Gives back what was charged in vain: in a cluster alone.
pub const REFUND: &str = concat!(lua!("constants"), lua!("shared"), lua!("refund"));

/// Gives slots of requests under way back, and renews them.
pub const SLOTS: &str = concat!(lua!("constants"), lua!("shared"), lua!("slots"));

/// Reads and replaces the overrides that operators make.
pub const OVERRIDES: &str = concat!(lua!("constants"), lua!("shared"), lua!("overrides"));
