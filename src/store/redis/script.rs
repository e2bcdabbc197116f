//! The one script that Redis runs, joined from the files in `lua/`.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind};

use self::batch::Batch;
use super::connect::wire::Wire;
use super::node::pool::Connection;
use crate::domain::clock::Millis;
use crate::store::Charge;
#[cfg(feature = "server")]
use crate::store::Key;

pub(super) mod batch;
pub(super) mod reply;
pub(super) mod split;

macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lua/", $file, ".lua"))
    };
    ($name:literal in $file:literal) => {
        concat!("if algorithm == '", $name, "' then\n", lua!($file), "end\n")
    };
}

/// The script: helpers first, then the algorithms, then the step that joins them. What makes of a
/// policy the steps that decide under it is one function of them all, so that a call makes only
/// those of the algorithms that it meets.
const TEXT: &str = concat!(
    lua!("shared"),
    "local function steps_of(algorithm, units, window, burst, now)\n",
    lua!("fixed-window" in "fixed_window"),
    lua!("sliding-window" in "sliding_window"),
    lua!("sliding-log" in "sliding_log"),
    lua!("token-bucket" in "token_bucket"),
    "end\n",
    lua!("acquire"),
);

/// The script that gives back what was charged in vain: in a cluster alone.
const REFUND_TEXT: &str = concat!(lua!("shared"), lua!("refund"));

/// Hashed once, as its name for `EVALSHA`.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TEXT));
static REFUND: LazyLock<Script> = LazyLock::new(|| Script::new(REFUND_TEXT));

/// Loads the script, as every new connection does.
pub(super) fn load(connection: &mut Wire) -> RedisResult<()> {
    SCRIPT.load(connection).map(drop)
}

/// Runs the script over `batch`. `now` overrides the server's time; without the script there
/// (`NOSCRIPT`, as after `SCRIPT FLUSH`) it is sent whole: that loads it and runs it in one step,
/// which no other flush comes between.
pub(super) fn run(
    connection: &mut Connection,
    batch: &Batch,
    now: Option<Millis>,
) -> RedisResult<Vec<u8>> {
    connection.run(|connection| match acquire(batch, now, Sent::ByName).query(connection) {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            acquire(batch, now, Sent::Whole).query(connection)
        }
        reply => reply,
    })
}

/// Whether scripts may not call `TIME`: refused inside a script, a command goes unnamed.
pub(super) fn time_is_refused(connection: &mut Connection) -> bool {
    let time = |connection: &mut Wire| -> RedisResult<()> {
        redis::cmd("EVAL").arg("return redis.call('TIME')").arg(0).exec(connection)
    };
    // Where EVAL itself may not be run, that says nothing of TIME.
    connection
        .run(time)
        .is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError))
}

/// A harmless call of every command that counting needs, with the rule of an ACL that permits it;
/// those that write do so on `key` alone, and leave nothing there.
#[cfg(feature = "server")]
pub(super) fn commands(key: &Key) -> Vec<(&'static str, Cmd)> {
    const CALLS: [(&str, &[&str]); 12] = [
        ("+evalsha", &["EVALSHA", "", "0"]),
        ("+eval", &["EVAL", "return 1", "0"]),
        ("+script|load", &["SCRIPT", "LOAD", "return 1"]),
        ("+time", &["TIME"]),
        ("+get", &["GET", KEY]),
        ("+set", &["SET", KEY, "", "PX", "1000"]),
        ("+getrange", &["GETRANGE", KEY, "0", "0"]),
        ("+setrange", &["SETRANGE", KEY, "0", "0"]),
        ("+strlen", &["STRLEN", KEY]),
        ("+append", &["APPEND", KEY, "0"]),
        ("+del", &["DEL", KEY]),
        ("+unlink", &["UNLINK", KEY]),
    ];
    let call = |(rule, words): (&'static str, &[&str])| {
        let mut call = Cmd::new();
        for word in words {
            call.arg(if *word == KEY { key.as_str() } else { word });
        }
        (rule, call)
    };
    CALLS.into_iter().map(call).collect()
}

/// Stands for the key in a call.
#[cfg(feature = "server")]
const KEY: &str = "<key>";

/// How a script is sent: by its hash, or whole to who does not know that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    ByName,
    Whole,
}

/// The call of the script with all keys of `batch`, and the one argument as `lua/acquire.lua` reads
/// it: one, since Redis makes a string in Lua of each.
pub(super) fn acquire(batch: &Batch, now: Option<Millis>, sent: Sent) -> Cmd {
    let keys: usize = batch.runs().map(|run| run.requests().len() * run.policies().len()).sum();
    let mut call = begin(sent, &SCRIPT, TEXT, keys);
    for run in batch.runs() {
        for key in run.requests().flatten() {
            call.arg(key.as_str());
        }
    }
    let mut asked = now.unwrap_or(0).to_be_bytes().to_vec();
    for run in batch.runs() {
        asked.extend(run.cost().units().to_be_bytes());
        asked.extend(run.count().to_be_bytes());
        asked.extend(count(run.requests().len()));
        asked.extend(count(run.policies().len()));
        for policy in run.policies() {
            let terms = policy.terms();
            asked.extend(
                [terms.units, terms.window, terms.burst].map(u64::to_be_bytes).as_flattened(),
            );
            asked.extend(policy.algorithm().name().as_bytes());
            asked.push(0);
        }
    }
    call.arg(asked);
    call
}

/// A length as an argument; a call is far from so long that it would not fit.
fn count(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// What a key is given back.
#[derive(Debug)]
pub(super) struct Refund {
    pub(super) charge: Charge,
    pub(super) amount: u64,
    /// When that was charged, as the reply to it said.
    pub(super) charged_at: Millis,
}

/// The call that gives back `refund`, with the arguments as `lua/refund.lua` reads them.
pub(super) fn refund(refund: &Refund, sent: Sent) -> Cmd {
    let (policy, mut call) = (&refund.charge.policy, begin(sent, &REFUND, REFUND_TEXT, 1));
    let terms = policy.terms();
    call.arg(refund.charge.key.as_str());
    call.arg(policy.algorithm().name()).arg(terms.units).arg(terms.window);
    call.arg(refund.amount).arg(refund.charged_at);
    call
}

fn begin(sent: Sent, script: &Script, text: &str, keys: usize) -> Cmd {
    let (command, script) = match sent {
        Sent::ByName => ("EVALSHA", script.get_hash()),
        Sent::Whole => ("EVAL", text),
    };
    let mut call = redis::cmd(command);
    call.arg(script).arg(keys);
    call
}
