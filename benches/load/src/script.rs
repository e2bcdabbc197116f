//! The scripts that the apps ask Redis to run which Tollgate is compared with.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};
use rmp::decode::{read_array_len, read_int};
use tollgate::{Algorithm, Identity, Keyspace, Policy, Quota};

use crate::result::Result;
use crate::setting::{CLIENT_FIELD, policy_name};

pub(crate) const WINDOW_MS: u64 = 3_600_000;

/// The shortest fixed window, which keeps count and tells nothing: no remaining, no time to wait.
const COUNTER: &str = "\
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return used <= tonumber(ARGV[1])";

pub(crate) static INCR: LazyLock<Script> = LazyLock::new(|| Script::new(COUNTER));

/// Tollgate's own: with it, what differs is the way to Redis alone.
pub(crate) static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(tollgate::lua::ACQUIRE));

/// How an app asks Redis: under a policy for each algorithm, which are Tollgate's in all but the prefix.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    keyspace: Keyspace,
    policies: Vec<Policy>,
    /// As `lua/acquire.lua` reads it: the same for every request.
    argument: Vec<u8>,
}

impl Asking {
    /// As the app `name`, `units` an hour under each of `algorithms`.
    pub(crate) fn new(name: &str, algorithms: &[String], units: u64) -> Result<Self> {
        let quota = Quota::new(units, WINDOW_MS)?;
        let policy = |(number, algorithm): (usize, &String)| -> Result<Policy> {
            let algorithm = Algorithm::named(algorithm, quota)?;
            Ok(Policy::new(&policy_name(number), quota)?.with_algorithm(algorithm)?)
        };
        Ok(Self {
            // As long as `tollgate`, so that no key is longer than Tollgate's.
            keyspace: Keyspace::new(format!("{name:-<8.8}")),
            policies: algorithms.iter().enumerate().map(policy).collect::<Result<_>>()?,
            argument: argument(algorithms, units)?,
        })
    }

    /// One request of `client`.
    pub(crate) fn call(&self, client: &str) -> ScriptInvocation<'static> {
        let identity = Identity::header(CLIENT_FIELD, client);
        let mut call = ACQUIRE.prepare_invoke();
        for policy in &self.policies {
            call.key(self.keyspace.key(&identity, policy).as_str());
        }
        call.arg(self.argument.as_slice());
        call
    }
}

/// One group of one request, which meets neither penalties nor trials.
fn argument(algorithms: &[String], units: u64) -> Result<Vec<u8>> {
    let (now, cost, count, requests) = (0_u64, 1_u64, 1_u32, 1_u32);
    let policies = u32::try_from(algorithms.len())?;
    let (penalties, trials) = (0_u16, 0_u16);
    let mut argument = [now, cost].map(u64::to_be_bytes).concat();
    argument.extend([count, requests, policies].map(u32::to_be_bytes).as_flattened());
    argument.extend([penalties, trials].map(u16::to_be_bytes).as_flattened());
    for algorithm in algorithms {
        argument.extend([units, WINDOW_MS, units].map(u64::to_be_bytes).as_flattened());
        argument.extend(algorithm.as_bytes());
        argument.push(0);
    }
    Ok(argument)
}

/// Whether Redis replied to it that the request is admitted.
pub(crate) fn is_admitted(mut reply: &[u8]) -> bool {
    let length = read_array_len(&mut reply);
    // Before it stands the time.
    let numbers = [(); 2].map(|()| read_int(&mut reply));
    matches!((length, numbers), (Ok(_), [Ok(_), Ok(1_u64)]))
}
