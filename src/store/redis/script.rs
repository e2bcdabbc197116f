//! The one script that Redis runs, joined from the files in `lua/`.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind};

use super::batch::Batch;
use super::pool::Connection;
use crate::clock::Millis;

macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lua/", $file, ".lua"))
    };
    ($name:literal in $file:literal) => {
        concat!("algorithms['", $name, "'] = function(policy, now)\n", lua!($file), "end\n")
    };
}

/// The script: helpers first, then the algorithms, then the step that joins them. An algorithm is
/// the body of a function, so that a call makes only those that it meets.
const TEXT: &str = concat!(
    lua!("shared"),
    lua!("fixed-window" in "fixed_window"),
    lua!("sliding-window" in "sliding_window"),
    lua!("sliding-log" in "sliding_log"),
    lua!("token-bucket" in "token_bucket"),
    lua!("acquire"),
);

/// Hashed once, as its name for `EVALSHA`.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TEXT));

/// Loads the script, as every new connection does.
pub(super) fn load(connection: &mut redis::Connection) -> RedisResult<()> {
    SCRIPT.load(connection).map(drop)
}

/// Runs the script over `batch`. `now` overrides the server's time; without the script there
/// (`NOSCRIPT`, as after `SCRIPT FLUSH`) it is sent whole: that loads it and runs it in one step,
/// which no other flush comes between.
pub(super) fn run(
    connection: &mut Connection,
    batch: &Batch,
    now: Option<Millis>,
) -> RedisResult<Vec<i64>> {
    connection.run(|connection| {
        match call("EVALSHA", SCRIPT.get_hash(), batch, now).query(connection) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", TEXT, batch, now).query(connection)
            }
            reply => reply,
        }
    })
}

/// The call of `script` with all keys of `batch`, and the arguments as `lua/acquire.lua` reads them.
fn call(command: &str, script: &str, batch: &Batch, now: Option<Millis>) -> Cmd {
    let keys: usize = batch.runs().map(|run| run.requests().len() * run.policies().len()).sum();
    let mut call = redis::cmd(command);
    call.arg(script).arg(keys);
    for run in batch.runs() {
        for key in run.requests().flatten() {
            call.arg(key.as_str());
        }
    }
    call.arg(now.unwrap_or(0));
    for run in batch.runs() {
        call.arg(run.cost().units()).arg(run.count());
        call.arg(run.requests().len()).arg(run.policies().len());
        for policy in run.policies() {
            let terms = policy.terms();
            call.arg(policy.algorithm().name()).arg(terms.units).arg(terms.window).arg(terms.burst);
        }
    }
    call
}
