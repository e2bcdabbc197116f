//! How cost grows: with connections, with policies, with keys.

use serde_json::{Value, json};
use tollgate::{Clock as _, SystemClock};
use tollgate_testkit::redis::Server;

use crate::case::Case;
use crate::contender::Contender::{Bare, Plain, Tollgate};
use crate::lab::{Lab, WEIGHED};
use crate::options::Options;
use crate::outcome::{InRedis, Outcome};
use crate::report::{self, columns, keep};
use crate::result::Result;
use crate::sample::Sample;
use crate::setting::Setting;
use crate::wrk::Load;

/// Tells the policies of one request apart.
const ALGORITHMS: [&str; 4] = ["fixed-window", "token-bucket", "sliding-window", "sliding-log"];

/// Measures the series that `options` names, or all of them.
pub(crate) fn all(options: &Options) -> Result<()> {
    type Series = fn(&Lab) -> Result<()>;
    let series: [(&str, Series); 4] = [
        ("connections", connections),
        ("policies", policies),
        ("keys", keys),
        ("memory-per-key", memory_per_key),
    ];
    let chosen = |name: &str| options.case.is_empty() || options.case == name;
    if !series.iter().any(|(name, _)| chosen(name)) {
        let names = series.map(|(name, _)| name).join(", ");
        return Err(format!("there is no series {:?}: {names}", options.case).into());
    }
    let lab = Lab::open(options)?;
    println!("{}\n", lab.machine.line());
    series.iter().filter(|(name, _)| chosen(name)).try_for_each(|(_, measure)| measure(&lab))
}

fn connections(lab: &Lab) -> Result<()> {
    let cases = (0..=10).map(|power| 1 << power).map(|connections| {
        let load = Load { connections, keys: 100_000 };
        let contenders = vec![Bare, Tollgate, Plain];
        (connections, Case { load, contenders, ..case("connections") })
    });
    series(lab, "connections", cases.collect())
}

fn policies(lab: &Lab) -> Result<()> {
    let cases = (1..=8).map(|number: usize| {
        let kinds: Vec<&'static str> =
            ALGORITHMS.iter().take(2).copied().cycle().take(number).collect();
        (number as u64, Case { setting: Setting::of(&kinds), ..case("policies") })
    });
    series(lab, "policies", cases.collect())
}

fn keys(lab: &Lab) -> Result<()> {
    let numbers = (0..).map(|power| 10_u64.pow(power));
    let cases = numbers.take_while(|keys| *keys <= lab.options.most_keys).map(|keys| {
        let load = Load { connections: 64, keys };
        // Nobody is to be refused while it is filled.
        let setting = Setting { timeout_ms: 5_000, ..Setting::of(&["fixed-window"]) };
        (keys, Case { load, setting, is_filled: true, ..case("keys") })
    });
    series(lab, "keys", cases.collect())
}

fn case(name: &'static str) -> Case {
    Case {
        name,
        about: "Redis, fixed windows and token buckets".to_owned(),
        setting: Setting::of(&["fixed-window"]),
        load: Load { connections: 64, keys: 100_000 },
        is_filled: false,
        contenders: vec![Bare, Tollgate],
        targets: Vec::new(),
    }
}

/// Measures `cases` and shows Tollgate's figures under each other.
fn series(lab: &Lab, name: &str, cases: Vec<(u64, Case)>) -> Result<()> {
    let header = [
        name,
        "requests/s",
        "of bare",
        "server µs",
        "Redis µs",
        "p50 ms",
        "p99 ms",
        "requests a call",
        "bytes a key",
        "",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    let mut points = Vec::new();
    for (at, case) in cases {
        let outcome = lab.measure(case)?;
        let of = |figure: fn(&Sample) -> f64| outcome.spread(Tollgate, figure);
        rows.push([
            at.to_string(),
            of(|it| it.requests_per_s).show(0),
            outcome.ratio(Tollgate).show(2),
            format!("{:.1}", of(|it| it.server_us).median),
            format!("{:.2}", of(|it| it.redis_us).median),
            format!("{:.2}", of(|it| it.p50_us / 1e3).median),
            format!("{:.2}", of(|it| it.p99_us / 1e3).median),
            format!("{:.1}", of(|it| it.batch).median),
            bytes_a_key(&outcome),
            outcome.noise().unwrap_or_default(),
        ]);
        points.push(json!({ "at": at, "outcome": report::json(lab, &outcome) }));
    }
    println!(
        "Tollgate by {name}; Redis, {} rounds of {} s",
        lab.options.rounds, lab.options.seconds
    );
    println!("{}", columns(&rows));
    finish(lab, name, points)
}

/// Where the keys are Tollgate's alone, and so many that they are what takes the memory.
fn bytes_a_key(outcome: &Outcome) -> String {
    let InRedis { keys, bytes } = outcome.in_redis;
    if outcome.case.is_filled && keys >= 10_000 {
        format!("{:.0}", bytes as f64 / keys as f64)
    } else {
        "-".to_owned()
    }
}

/// What one key takes in Redis, by algorithm.
fn memory_per_key(lab: &Lab) -> Result<()> {
    let header = ["algorithm", "requests a key", "bytes a key", "MEMORY USAGE of one"];
    let mut rows = vec![header.map(str::to_owned)];
    let mut points = Vec::new();
    let once = ALGORITHMS.map(|algorithm| (algorithm, 1));
    for (algorithm, requests) in once.into_iter().chain([("sliding-log", 10)]) {
        let setting = Setting { units: 100_000, ..Setting::of(&[algorithm]) };
        let bytes_a_key = lab.bytes_a_key(&setting, requests)?;
        let one = memory_of_a_key(&lab.redis)?;
        rows.push([
            algorithm.to_owned(),
            requests.to_string(),
            format!("{bytes_a_key:.0}"),
            one.to_string(),
        ]);
        points.push(json!({
            "algorithm": algorithm,
            "requests_a_key": requests,
            "bytes_a_key": bytes_a_key,
            "memory_usage": one,
        }));
    }
    println!("Redis memory by algorithm; {WEIGHED} keys\n{}", columns(&rows));
    finish(lab, "memory-per-key", points)
}

/// The bytes of one of its keys, or 0 where it has none.
fn memory_of_a_key(redis: &Server) -> Result<u64> {
    let mut connection = redis.connection();
    let key: Option<String> = redis::cmd("RANDOMKEY").query(&mut connection)?;
    let Some(key) = key else { return Ok(0) };
    Ok(redis::cmd("MEMORY").arg("USAGE").arg(key).query(&mut connection)?)
}

fn finish(lab: &Lab, name: &str, points: Vec<Value>) -> Result<()> {
    let value = json!({
        "series": name,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "points": points,
    });
    keep(lab, &format!("growth-{name}"), &value)
}
