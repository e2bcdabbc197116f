//! The scripts that the apps ask Redis to run which Tollgate is compared with.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};

pub(crate) const WINDOW_MS: u64 = 3_600_000;

/// The shortest fixed window, which keeps count and tells nothing: no remaining, no time to wait.
const COUNTER: &str = "\
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return used <= tonumber(ARGV[1])";

pub(crate) static INCR: LazyLock<Script> = LazyLock::new(|| Script::new(COUNTER));

macro_rules! lua {
    ($file:literal) => {
        include_str!(concat!("../../lua/", $file, ".lua"))
    };
    ($name:literal in $file:literal) => {
        concat!("algorithms['", $name, "'] = function(policy, now)\n", lua!($file), "end\n")
    };
}

/// Tollgate's own: with it, what differs is the way to Redis alone.
pub(crate) static ACQUIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        lua!("shared"),
        lua!("fixed-window" in "fixed_window"),
        lua!("token-bucket" in "token_bucket"),
        lua!("acquire"),
    ))
});

/// One request of `client` under a policy for each of `algorithms`, all of them of `units` an hour.
pub(crate) fn acquire<'a>(
    prefix: &str,
    client: &str,
    algorithms: &[String],
    units: u64,
) -> ScriptInvocation<'a> {
    let mut call = ACQUIRE.prepare_invoke();
    let (now, cost, count, requests) = (0, 1, 1, 1);
    call.arg(now).arg(cost).arg(count).arg(requests).arg(algorithms.len());
    for algorithm in algorithms {
        call.key(format!("{prefix}:{{{client}}}:{algorithm}"));
        call.arg(algorithm).arg(units).arg(WINDOW_MS).arg(units);
    }
    call
}

/// Whether Redis replied to it that the request is admitted.
pub(crate) fn is_admitted(reply: &[i64]) -> bool {
    reply.get(1) == Some(&1)
}
