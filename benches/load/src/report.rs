//! What was measured, as a table and as JSON.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;

use serde_json::{Value, json};
use tollgate::{Clock as _, SystemClock};

use crate::contender::Contender;
use crate::lab::Lab;
use crate::outcome::Outcome;
use crate::result::Result;
use crate::sample::Sample;
use crate::stats::Spread;
use crate::target::{Target, Verdict};

/// The table of one case, and a line for each of its targets.
pub(crate) fn table(outcome: &Outcome) -> String {
    let case = &outcome.case;
    let mut text = format!(
        "{}: {}; {} connections, {} keys; {} rounds of {} s\n",
        case.name,
        case.about,
        case.load.connections,
        case.load.keys,
        outcome.rounds.len(),
        outcome.seconds,
    );
    let of_first = format!("of {}", case.contenders[0].name());
    let mut rows = vec![
        [
            "",
            "requests/s",
            &of_first,
            "server µs",
            "Redis µs",
            "p50 ms",
            "p99 ms",
            "batch",
            "not 2xx",
            "lost",
        ]
        .map(str::to_owned),
    ];
    rows.extend(case.contenders.iter().map(|&who| row(outcome, who)));
    text += &columns(&rows);
    if case.contenders.contains(&Contender::Plain) {
        let trips = outcome.rounds.iter().map(|round| round.round_trip_us);
        let trips = Spread::of(trips).show(0);
        let _ = writeln!(text, "one bare EVALSHA round trip: {trips} µs");
    }
    let noise = outcome.noise();
    if let Some(noise) = &noise {
        let _ = writeln!(text, "Too noisy to conclude: {noise}.");
    }
    for target in &case.targets {
        let verdict = outcome.verdict(target);
        let value = outcome.value(target).show(2);
        let _ = write!(text, "{verdict}: {target}: {value}");
        if verdict == Verdict::CannotConclude && noise.is_none() {
            text += ", of too few rounds";
        }
        text.push('\n');
    }
    text.push('\n');
    text
}

fn row(outcome: &Outcome, who: Contender) -> [String; 10] {
    let of = |figure: fn(&Sample) -> f64| outcome.spread(who, figure);
    let dash = |is_there: bool, text: String| if is_there { text } else { "-".to_owned() };
    let asks_redis = who.asks_redis(&outcome.case.setting);
    // Others call it too now and then, and it is none where Redis is asked without a script.
    let batch = of(|it| it.batch).median;
    [
        who.name().to_owned(),
        of(|it| it.requests_per_s).show(0),
        outcome.ratio(who).show(2),
        of(|it| it.server_us).show(1),
        dash(asks_redis, of(|it| it.redis_us).show(2)),
        of(|it| it.p50_us / 1e3).show(2),
        of(|it| it.p99_us / 1e3).show(2),
        dash(asks_redis && batch > 0.0, format!("{batch:.1}")),
        format!("{:.0}", of(|it| it.refused).max),
        format!("{:.0}", of(|it| it.lost).max),
    ]
}

/// Rows under each other, the first column to the left, the others to the right.
pub(crate) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let _ = write!(text, "  {:<1$}", row[0], widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            let _ = write!(text, "  {cell:>width$}");
        }
        text.push('\n');
    }
    text
}

/// Everything about one case, every round included.
pub(crate) fn json(lab: &Lab, outcome: &Outcome) -> Value {
    let case = &outcome.case;
    let contenders: Vec<Value> =
        case.contenders.iter().map(|&who| contender(outcome, who)).collect();
    let targets: Vec<Value> = case.targets.iter().map(|it| target(outcome, it)).collect();
    let trips: Vec<f64> = outcome.rounds.iter().map(|round| round.round_trip_us).collect();
    json!({
        "case": case.name,
        "about": case.about,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "transport": lab.options.transport,
        "load": case.load,
        "rounds": outcome.rounds.len(),
        "seconds": outcome.seconds,
        "noise": outcome.noise(),
        "contenders": contenders,
        "round_trips_us": trips,
        "in_redis": outcome.in_redis,
        "bytes_a_key": outcome.bytes_a_key,
        "targets": targets,
    })
}

fn contender(outcome: &Outcome, who: Contender) -> Value {
    let samples = outcome.rounds.iter().map(|round| outcome.sample(round, who));
    json!({
        "name": who.name(),
        "ratio_to_bare": outcome.ratio(who),
        "requests_per_s": outcome.spread(who, |it| it.requests_per_s),
        "server_us": outcome.spread(who, |it| it.server_us),
        "redis_us": outcome.spread(who, |it| it.redis_us),
        "p50_us": outcome.spread(who, |it| it.p50_us),
        "p99_us": outcome.spread(who, |it| it.p99_us),
        "samples": samples.collect::<Vec<_>>(),
    })
}

fn target(outcome: &Outcome, target: &Target) -> Value {
    json!({
        "target": target.to_string(),
        "value": outcome.value(target),
        "verdict": outcome.verdict(target).to_string(),
    })
}

/// Writes `value` as the last result of `name`, and adds it to the history.
pub(crate) fn keep(lab: &Lab, name: &str, value: &Value) -> Result<()> {
    let directory = &lab.options.results;
    fs::create_dir_all(directory)?;
    fs::write(directory.join(format!("{name}.json")), format!("{value:#}\n"))?;
    let history = directory.join("history.jsonl");
    let mut history = OpenOptions::new().create(true).append(true).open(history)?;
    Ok(writeln!(history, "{value}")?)
}
