//! One turn of one contender, and what the system says it cost.

use std::path::Path;
use std::time::Instant;

use serde::Serialize;
use tollgate_testkit::procfs::{cpu_seconds, own_cpu_seconds};
use tollgate_testkit::redis::Server;

use crate::contender::Running;
use crate::machine::{self, Machine};
use crate::result::Result;
use crate::wrk::Load;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) requests_per_s: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// Microseconds of CPU per request.
    pub(crate) server_us: f64,
    pub(crate) redis_us: f64,
    /// Answers that were not 2xx.
    pub(crate) refused: f64,
    /// Connections that failed, and answers that never came.
    pub(crate) lost: f64,
    /// Script calls.
    pub(crate) calls_per_s: f64,
    /// Requests per script call.
    pub(crate) batch: f64,
    /// Keys that Redis read.
    pub(crate) reads_per_s: f64,
    /// The share of the machine that others used meanwhile.
    pub(crate) elsewhere: f64,
}

#[derive(Debug)]
struct Counters {
    at: Instant,
    server: f64,
    redis: f64,
    own: f64,
    machine: f64,
    calls: u64,
    reads: u64,
}

impl Counters {
    fn read(running: &Running, redis: &Server) -> Result<Self> {
        Ok(Self {
            calls: redis.calls("evalsha"),
            // What a fixed window is read by.
            reads: redis.calls("get"),
            server: cpu_seconds(running.process.pid()),
            redis: cpu_seconds(redis.pid()),
            own: own_cpu_seconds(),
            machine: machine::busy_seconds()?,
            at: Instant::now(),
        })
    }
}

impl Sample {
    /// Puts `running` under `load` for as long.
    pub(crate) fn take(
        running: &Running,
        redis: &Server,
        load: Load,
        script: &Path,
        seconds: u64,
        seed: usize,
    ) -> Result<Self> {
        let before = Counters::read(running, redis)?;
        let seen = load.run(script, running, seconds, seed)?;
        let after = Counters::read(running, redis)?;

        let (server, redis) = (after.server - before.server, after.redis - before.redis);
        let passed = (after.at - before.at).as_secs_f64() * Machine::cores();
        let ours = server + redis + after.own - before.own;
        let calls = (after.calls - before.calls) as f64;
        Ok(Self {
            requests_per_s: seen.requests / seen.seconds,
            p50_us: seen.p50_us,
            p99_us: seen.p99_us,
            server_us: server * 1e6 / seen.requests,
            redis_us: redis * 1e6 / seen.requests,
            refused: seen.refused,
            lost: seen.lost,
            calls_per_s: calls / seen.seconds,
            batch: if calls > 0.0 { seen.requests / calls } else { 0.0 },
            reads_per_s: (after.reads - before.reads) as f64 / seen.seconds,
            elsewhere: ((after.machine - before.machine - ours) / passed).max(0.0),
        })
    }
}
