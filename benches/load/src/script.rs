//! The scripts that the apps ask Redis to run which Tollgate is compared with.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};
use rmp::decode::{read_array_len, read_int};

pub(crate) const WINDOW_MS: u64 = 3_600_000;

/// The shortest fixed window, which keeps count and tells nothing: no remaining, no time to wait.
const COUNTER: &str = "\
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return used <= tonumber(ARGV[1])";

pub(crate) static INCR: LazyLock<Script> = LazyLock::new(|| Script::new(COUNTER));

/// Tollgate's own: with it, what differs is the way to Redis alone.
pub(crate) static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(tollgate::lua::ACQUIRE));

/// One request of `client` under a policy for each of `algorithms`, all of them of `units` an hour, as
/// `lua/acquire.lua` reads it.
pub(crate) fn acquire<'a>(
    prefix: &str,
    client: &str,
    algorithms: &[String],
    units: u64,
) -> ScriptInvocation<'a> {
    let mut call = ACQUIRE.prepare_invoke();
    let (now, cost, count, requests) = (0_u64, 1_u64, 1_u32, 1_u32);
    let mut asked = [now, cost].map(u64::to_be_bytes).concat();
    let policies = u32::try_from(algorithms.len()).unwrap_or(u32::MAX);
    asked.extend([count, requests, policies].map(u32::to_be_bytes).as_flattened());
    for algorithm in algorithms {
        call.key(format!("{prefix}:{{{client}}}:{algorithm}"));
        asked.extend([units, WINDOW_MS, units].map(u64::to_be_bytes).as_flattened());
        asked.extend(algorithm.as_bytes());
        asked.push(0);
    }
    call.arg(asked);
    call
}

/// Whether Redis replied to it that the request is admitted.
pub(crate) fn is_admitted(mut reply: &[u8]) -> bool {
    let length = read_array_len(&mut reply);
    // Before it stands the time.
    let numbers = [(); 2].map(|()| read_int(&mut reply));
    matches!((length, numbers), (Ok(_), [Ok(_), Ok(1_u64)]))
}
