//! What distance to Redis costs: a relay makes the way longer, and Tollgate is measured over it beside
//! the asynchronous client and the plain design, well below what it can carry and at the most.

mod point;
mod report;

use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use tollgate::{Clock as _, SystemClock};
use tollgate_testkit::procfs::cpu_seconds;

use self::point::{Named, Point};
use crate::contender::Contender::{self, Bare, Multiplexed, Plain, Tollgate};
use crate::lab::Lab;
use crate::latency;
use crate::relay::Relay;
use crate::report::keep;
use crate::result::Result;
use crate::setting::Setting;
use crate::wrk::Load;

pub(crate) const NAME: &str = "remote";

/// Each of the contenders, the bare app first.
const CONTENDERS: [Contender; 4] = [Bare, Tollgate, Multiplexed, Plain];

/// At this delay in milliseconds, over so many connections, Tollgate is measured also with so many
/// connections to Redis.
const VARIED_AT: (f64, u32) = (0.5, 64);
const VARIED: [u32; 3] = [1, 2, 8];

/// How far Redis is, and what was measured there.
#[derive(Debug, Serialize)]
struct Distance {
    /// Each way.
    delay_ms: f64,
    points: Vec<Point>,
}

/// What the relay itself adds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Added {
    direct_us: f64,
    /// Through the relay without a delay.
    relayed_us: f64,
    /// Microseconds of CPU that a round trip takes in the relay.
    cpu_us: f64,
}

pub(crate) fn measure(lab: &Lab) -> Result<()> {
    let added = added(lab)?;
    println!(
        "{NAME}: a fixed window, Redis on a long way; {} rounds of {} s\n\
         The relay: one EVALSHA round trip takes {:.0} µs without it, {:.0} µs through it at no \
         delay, of which {:.0} µs are its CPU.\n",
        lab.options.rounds, lab.options.seconds, added.direct_us, added.relayed_us, added.cpu_us,
    );
    let mut distances = Vec::new();
    let mut targets = Vec::new();
    for &delay_ms in &lab.options.delays {
        let distance = at_distance(lab, delay_ms)?;
        print!("{}", report::tables(&distance));
        targets.extend(report::targets(&distance));
        distances.push(distance);
    }
    for target in &targets {
        println!("{target}");
    }
    println!();
    let targets: Vec<_> = targets.iter().map(report::Held::json).collect();
    let value = json!({
        "case": NAME,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "transport": "tcp",
        "seconds": lab.options.seconds,
        "relay": added,
        "distances": distances,
        "targets": targets,
    });
    keep(lab, NAME, &value)
}

fn added(lab: &Lab) -> Result<Added> {
    let relay = Relay::start(lab.redis.port(), Duration::ZERO)?;
    let direct_us = latency::round_trip(&lab.redis.tcp_url(), latency::CALLS)?;
    let before = cpu_seconds(relay.process.pid());
    let relayed_us = latency::round_trip(&relay.url, latency::CALLS)?;
    let cpu = cpu_seconds(relay.process.pid()) - before;
    Ok(Added { direct_us, relayed_us, cpu_us: cpu * 1e6 / f64::from(latency::CALLS) })
}

fn at_distance(lab: &Lab, delay_ms: f64) -> Result<Distance> {
    lab.clear_redis();
    let relay = Relay::start(lab.redis.port(), Duration::from_secs_f64(delay_ms / 1e3))?;
    // What is late shows in the figures, and is to be no failure.
    let setting = Setting { timeout_ms: 1_000, ..Setting::of(&["fixed-window"]) };
    let everyone = CONTENDERS
        .into_iter()
        .map(|who| start(lab, &relay, who, who.name().to_owned(), &setting))
        .collect::<Result<Vec<Named>>>()?;
    let mut points = Vec::new();
    for &connections in &lab.options.connections {
        lab.show(&format!("{NAME}: {delay_ms} ms, {connections} connections"));
        let mut varied = Vec::new();
        if (delay_ms, connections) == VARIED_AT {
            for number in VARIED {
                let setting = Setting { connections: Some(number), ..setting.clone() };
                let name = format!("tollgate, connections = {number}");
                varied.push(start(lab, &relay, Tollgate, name, &setting)?);
            }
        }
        let all: Vec<&Named> = everyone.iter().chain(&varied).collect();
        points.push(Point::measure(lab, &relay, connections, &all)?);
    }
    lab.show("");
    Ok(Distance { delay_ms, points })
}

/// Starts one that asks Redis through `relay`, and warms it up.
fn start(
    lab: &Lab,
    relay: &Relay,
    who: Contender,
    name: String,
    setting: &Setting,
) -> Result<Named> {
    let running = lab.with_stage_over(&relay.url, |stage| who.start(stage, setting))?;
    let load = Load { connections: 64, keys: 100_000 };
    lab.warm_up(who, &running, load, setting)?;
    Ok(Named { name, who, running })
}
