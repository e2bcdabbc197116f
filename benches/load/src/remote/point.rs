//! One distance and one number of connections: everyone in turn, well below what Tollgate carries there
//! and at the most.

use std::time::{Duration, Instant};

use serde::Serialize;
use tollgate_testkit::procfs::cpu_seconds;
use tollgate_testkit::threads::pause;

use crate::contender::{Contender, Running};
use crate::lab::Lab;
use crate::latency;
use crate::relay::Relay;
use crate::result::Result;
use crate::stats::{median, percentile};
use crate::steady::{self, Answered, Pace};
use crate::wrk::Load;

/// Of what Tollgate carries at the most: the rate of a load that is well below.
const BELOW: f64 = 1.0 / 3.0;

/// A connection has one request under way: it is asked for no more than it can carry if each takes so
/// many round trips.
const ROUND_TRIPS: f64 = 1.5;

const KEYS: u64 = 100_000;

/// A round trip through the relay takes milliseconds, and varies little.
const CALLS: u32 = 200;

/// Until the connections of a load are accepted.
const SETTLED: Duration = Duration::from_millis(300);

/// Who takes part, and under which name.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) who: Contender,
    pub(super) running: Running,
}

#[derive(Debug, Serialize)]
pub(super) struct Point {
    pub(super) connections: u32,
    /// By the load that is well below.
    pub(super) asked_per_s: f64,
    /// Of one EVALSHA alone, by round.
    pub(super) round_trips_us: Vec<f64>,
    /// The bare app first.
    pub(super) contenders: Vec<Measured>,
}

/// The figures of one contender, by round.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) asks_redis: bool,
    pub(super) below: Vec<Figures>,
    /// None of the bare app, which other cases measure.
    pub(super) at_most: Vec<Figures>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Figures {
    pub(super) requests_per_s: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// Microseconds of CPU per request.
    pub(super) server_us: f64,
    pub(super) redis_us: f64,
    pub(super) relay_us: f64,
    /// Requests that were refused or never answered.
    pub(super) lost: f64,
}

impl Point {
    pub(super) fn measure(
        lab: &Lab,
        relay: &Relay,
        connections: u32,
        everyone: &[&Named],
    ) -> Result<Self> {
        let nothing = |it: &&Named| Measured {
            name: it.name.clone(),
            asks_redis: it.who != Contender::Bare,
            below: Vec::new(),
            at_most: Vec::new(),
        };
        let mut point = Self {
            connections,
            asked_per_s: 0.0,
            round_trips_us: Vec::new(),
            contenders: everyone.iter().map(nothing).collect(),
        };
        for round in 1..=lab.options.rounds {
            point.round_trips_us.push(latency::round_trip(&relay.url, CALLS)?);
            for (named, measured) in everyone.iter().zip(&mut point.contenders) {
                if measured.asks_redis {
                    let figures = at_most(lab, relay, &named.running, connections, round)?;
                    measured.at_most.push(figures);
                }
            }
            // The same rate for everyone in every round.
            if round == 1 {
                point.asked_per_s = point.rate();
            }
            let pace = Pace::of(connections, point.asked_per_s);
            for (named, measured) in everyone.iter().zip(&mut point.contenders) {
                measured.below.push(below(lab, relay, &named.running, pace)?);
            }
        }
        Ok(point)
    }

    /// Requests a second that are well below what Tollgate carries.
    fn rate(&self) -> f64 {
        let tollgate = self.contenders.iter().find(|it| it.asks_redis);
        let most = tollgate.map_or(f64::NAN, |it| it.at_most[0].requests_per_s);
        let one_at_a_time = 1e6 / (ROUND_TRIPS * median(&self.round_trips_us));
        (most * BELOW).min(f64::from(self.connections) * one_at_a_time)
    }
}

/// As many requests as are answered.
fn at_most(
    lab: &Lab,
    relay: &Relay,
    running: &Running,
    connections: u32,
    round: usize,
) -> Result<Figures> {
    let load = Load { connections: connections.into(), keys: KEYS };
    let before = Cpu::read(lab, relay, running);
    let seen = load.run(&lab.script, running, lab.options.seconds, round)?;
    let used = Cpu::read(lab, relay, running).since(&before);
    let requests_per_s = seen.requests / seen.seconds;
    let lost = seen.refused + seen.lost;
    Ok(used.figures(seen.requests, requests_per_s, seen.p50_us, seen.p99_us, lost))
}

/// Requests that come at a pace of their own.
fn below(lab: &Lab, relay: &Relay, running: &Running, pace: Pace) -> Result<Figures> {
    let (watched, answered) = steady::load(running.address, pace, || {
        pause(SETTLED);
        let (before, begun) = (Cpu::read(lab, relay, running), Instant::now());
        pause(Duration::from_secs(lab.options.seconds));
        (begun, Instant::now(), Cpu::read(lab, relay, running).since(&before))
    })?;
    let (begun, ended, used) = watched;
    let is_watched = |it: &&Answered| it.ended >= begun && it.ended < ended;
    let mut times: Vec<f64> =
        answered.iter().filter(is_watched).map(|it| it.took_ms() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let requests = times.len() as f64;
    let per_s = requests / (ended - begun).as_secs_f64();
    // Whoever is refused ends the load.
    Ok(used.figures(requests, per_s, percentile(&times, 50), percentile(&times, 99), 0.0))
}

/// Seconds of CPU.
#[derive(Debug)]
struct Cpu {
    server: f64,
    redis: f64,
    relay: f64,
}

impl Cpu {
    fn read(lab: &Lab, relay: &Relay, running: &Running) -> Self {
        Self {
            server: cpu_seconds(running.process.pid()),
            redis: cpu_seconds(lab.redis.pid()),
            relay: cpu_seconds(relay.process.pid()),
        }
    }

    fn since(&self, before: &Self) -> Self {
        Self {
            server: self.server - before.server,
            redis: self.redis - before.redis,
            relay: self.relay - before.relay,
        }
    }

    fn figures(
        &self,
        requests: f64,
        requests_per_s: f64,
        p50_us: f64,
        p99_us: f64,
        lost: f64,
    ) -> Figures {
        let a_request = |seconds: f64| seconds * 1e6 / requests;
        Figures {
            requests_per_s,
            p50_us,
            p99_us,
            server_us: a_request(self.server),
            redis_us: a_request(self.redis),
            relay_us: a_request(self.relay),
            lost,
        }
    }
}
