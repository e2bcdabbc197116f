//! The one script that Redis runs, joined from the files in `lua/`.

use std::sync::LazyLock;

use redis::{RedisResult, Script, ScriptInvocation};

use super::batch::{Batch, Group};
use super::pool::Connection;
use crate::clock::Millis;

macro_rules! lua {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lua/", $file, ".lua"))),+)
    };
}

/// The script: helpers first, then the algorithms, then the step that joins them.
const TEXT: &str =
    lua!("shared", "fixed_window", "sliding_window", "sliding_log", "token_bucket", "acquire",);

/// Hashed once, as its name for `EVALSHA`.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TEXT));

/// Loads the script, as every new connection does.
pub(super) fn load(connection: &mut redis::Connection) -> RedisResult<()> {
    SCRIPT.load(connection).map(drop)
}

/// Runs the script over `batch`. `now` overrides the server's time; without the script there
/// (`NOSCRIPT`, as after `SCRIPT FLUSH`), it is loaded and called once more.
pub(super) fn run(
    connection: &mut Connection,
    batch: &Batch,
    now: Option<Millis>,
) -> RedisResult<Vec<i64>> {
    let mut call = SCRIPT.prepare_invoke();
    call.arg(now.unwrap_or(0));
    for group in batch.groups() {
        push_group(&mut call, group);
    }
    connection.run(|connection| call.invoke(connection))
}

/// Writes one group's keys and arguments, in the order that `lua/acquire.lua` reads them.
fn push_group(call: &mut ScriptInvocation<'_>, group: &Group) {
    call.arg(group.cost().units()).arg(group.policies().len()).arg(group.requests().len());
    for policy in group.policies() {
        let terms = policy.terms();
        call.arg(policy.algorithm().name()).arg(terms.units).arg(terms.window).arg(terms.burst);
    }
    for request in group.requests() {
        call.arg(request.count());
        for key in request.keys() {
            call.key(key.as_str());
        }
    }
}
