//! What an outage costs those who ask meanwhile: under a steady load, Redis hangs, and is killed.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use tollgate::{Clock as _, SystemClock};
use tollgate_testkit::threads::pause;

use crate::contender::{Contender, Running};
use crate::lab::Lab;
use crate::report::{columns, keep};
use crate::result::Result;
use crate::setting::Setting;
use crate::stats::{Spread, percentile};
use crate::steady::{self, Answered, Pace};
use crate::target::{Bound, FEWEST_ROUNDS, Verdict};

pub(crate) const NAME: &str = "outage";

/// So many connections, that nobody's turn comes before an answer that takes twice the default
/// `timeout_ms`.
const CONNECTIONS: u32 = 256;

const PACE: Pace = Pace { connections: CONNECTIONS, interval: Duration::from_millis(128) };

/// Requests of all connections together.
const PER_SECOND: u32 = CONNECTIONS * 1_000 / 128;

/// What the log says when Redis is given up, and when it is taken up again.
const GIVEN_UP: &str = "counting in this process, or as on_store_failure says";
const TAKEN_UP: &str = "counting there again";

/// What a request may take more than one to the bare app, once Redis is given up.
const MOST_ADDED_MS: Bound = Bound::AtMost(1.0);

/// Longer than what was decided without Redis takes to be charged to it.
const SETTLED: Duration = Duration::from_millis(1_500);

/// What is done to Redis.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Hangs,
    IsKilled,
}

const FAULTS: [Fault; 2] = [Fault::Hangs, Fault::IsKilled];

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Hangs => "Redis hangs",
            Self::IsKilled => "Redis is killed",
        }
    }

    fn begin(self, lab: &mut Lab) {
        match self {
            Self::Hangs => lab.redis.pause(),
            Self::IsKilled => lab.redis.kill(),
        }
    }

    fn end(self, lab: &mut Lab) {
        match self {
            Self::Hangs => lab.redis.resume(),
            Self::IsKilled => lab.redis.restart(),
        }
    }

    /// Lets it last for `length` after it was noticed, and returns when all is as before.
    fn happen(self, lab: &mut Lab, tollgate: &mut Running, length: Duration) -> Instants {
        let process = &mut tollgate.process;
        let said = process.lines().len();
        let begun = Instant::now();
        self.begin(lab);
        process.until_it_says(GIVEN_UP, said);
        let given_up = Instant::now();
        pause(length);
        let ended = Instant::now();
        self.end(lab);
        process.until_it_says(TAKEN_UP, said);
        pause(SETTLED);
        Instants { begun, given_up, ended }
    }
}

/// What the requests of one part of a round took, in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Took {
    requests: usize,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
}

impl Took {
    fn of<'a>(answered: impl Iterator<Item = &'a Answered>) -> Self {
        let mut times: Vec<f64> = answered.map(Answered::took_ms).collect();
        times.sort_by(f64::total_cmp);
        let at = |percent| percentile(&times, percent);
        Self { requests: times.len(), p50_ms: at(50), p99_ms: at(99), most_ms: at(100) }
    }
}

#[derive(Debug, Serialize)]
struct Round {
    bare: Took,
    healthy: Took,
    /// In the order of [`FAULTS`].
    outages: Vec<Outage>,
}

#[derive(Debug, Serialize)]
struct Outage {
    /// From the fault until Redis was given up.
    noticed_after_ms: f64,
    /// Requests that were under way then, or came before Redis was given up.
    first: Took,
    /// Those that came after that, while it lasted.
    given_up: Took,
}

pub(crate) fn measure(lab: &mut Lab) -> Result<()> {
    let setting = Setting { on_store_failure: "local", ..Setting::of(&["fixed-window"]) };
    println!(
        "{NAME}: a fixed window counted in this process meanwhile; {PER_SECOND} requests/s over \
         {CONNECTIONS} connections; {} rounds of {} s",
        lab.options.rounds, lab.options.seconds
    );
    let mut rounds = Vec::new();
    for _ in 0..lab.options.rounds {
        lab.clear_redis();
        rounds.push(round(lab, &setting)?);
    }
    print!("{}", table(&rounds));
    let targets = targets(&rounds, &setting);
    for (target, value, verdict) in &targets {
        println!("{verdict}: {target}: {}", value.show(2));
    }
    println!();
    let targets: Vec<Value> = targets
        .into_iter()
        .map(|(target, value, verdict)| {
            json!({ "target": target, "value": value, "verdict": verdict.to_string() })
        })
        .collect();
    let value = json!({
        "case": NAME,
        "at_ms": SystemClock.now(),
        "machine": lab.machine,
        "transport": lab.options.transport,
        "requests_per_s": PER_SECOND,
        "connections": CONNECTIONS,
        "seconds": lab.options.seconds,
        "faults": FAULTS.map(Fault::name),
        "rounds": rounds,
        "targets": targets,
    });
    keep(lab, NAME, &value)
}

/// The bare app first, then Tollgate through one fault after the other.
fn round(lab: &mut Lab, setting: &Setting) -> Result<Round> {
    let length = Duration::from_secs(lab.options.seconds);
    let bare = lab.with_stage(|stage| Contender::Bare.start(stage, setting))?;
    let ((), answered) = steady::load(bare.address, PACE, || pause(length))?;
    drop(bare);
    let bare = Took::of(answered.iter());

    let (mut healthy, mut outages) = (Vec::new(), Vec::new());
    for fault in FAULTS {
        // A process for each: one that has logged an outage logs the next not at once.
        let mut tollgate = lab.with_stage(|stage| Contender::Tollgate.start(stage, setting))?;
        let (instants, answered) = steady::load(tollgate.address, PACE, || {
            pause(length);
            fault.happen(lab, &mut tollgate, length)
        })?;
        outages.push(instants.outage(&answered));
        healthy.extend(answered.into_iter().filter(|it| it.ended < instants.begun));
    }
    Ok(Round { bare, healthy: Took::of(healthy.iter()), outages })
}

/// When one fault began, when Redis was given up, and when the fault was ended.
#[derive(Debug)]
struct Instants {
    begun: Instant,
    given_up: Instant,
    ended: Instant,
}

impl Instants {
    fn outage(&self, answered: &[Answered]) -> Outage {
        let came = |it: &&Answered| it.ended > self.begun && it.begun < self.ended;
        let (first, given_up) =
            answered.iter().filter(came).partition::<Vec<_>, _>(|it| it.begun < self.given_up);
        Outage {
            noticed_after_ms: (self.given_up - self.begun).as_secs_f64() * 1e3,
            first: Took::of(first.into_iter()),
            given_up: Took::of(given_up.into_iter()),
        }
    }
}

fn spread(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> Spread {
    Spread::of(rounds.iter().map(figure))
}

fn table(rounds: &[Round]) -> String {
    let row = |name: String, took: &dyn Fn(&Round) -> Took| {
        let of = |figure: fn(Took) -> f64| spread(rounds, |round| figure(took(round))).show(2);
        let requests = spread(rounds, |round| took(round).requests as f64).median;
        let requests = format!("{requests:.0}");
        [name, requests, of(|it| it.p50_ms), of(|it| it.p99_ms), of(|it| it.most_ms)]
    };
    let mut rows = vec![
        ["", "requests a round", "p50 ms", "p99 ms", "most ms"].map(str::to_owned),
        row("the bare app".to_owned(), &|round| round.bare),
        row("Tollgate, Redis answers".to_owned(), &|round| round.healthy),
    ];
    for (number, fault) in FAULTS.into_iter().enumerate() {
        let name = fault.name();
        rows.push(row(format!("{name}, the first"), &|it| it.outages[number].first));
        rows.push(row(format!("{name}, given up"), &|it| it.outages[number].given_up));
    }
    let mut text = columns(&rows);
    for (number, fault) in FAULTS.into_iter().enumerate() {
        let noticed = spread(rounds, |round| round.outages[number].noticed_after_ms).show(1);
        text += &format!("{}: given up after {noticed} ms\n", fault.name());
    }
    text
}

/// Each target, its value, and what that says of it.
fn targets(rounds: &[Round], setting: &Setting) -> Vec<(String, Spread, Verdict)> {
    let in_time = Bound::AtMost(setting.timeout_ms as f64);
    let mut targets = Vec::new();
    for (number, fault) in FAULTS.into_iter().enumerate() {
        let name = fault.name();
        let first = spread(rounds, |round| round.outages[number].first.p99_ms);
        targets.push((format!("{name}, p99 ms of the first requests"), first, in_time));
        let added =
            spread(rounds, |round| round.outages[number].given_up.p99_ms - round.bare.p99_ms);
        let what = format!("{name}, p99 ms over the bare app's once it is given up");
        targets.push((what, added, MOST_ADDED_MS));
    }
    let verdict = |(what, value, bound): (String, Spread, Bound)| {
        let is_enough = rounds.len() >= FEWEST_ROUNDS;
        let verdict = if is_enough { bound.verdict(value.median) } else { Verdict::CannotConclude };
        (format!("{what} {bound}"), value, verdict)
    };
    targets.into_iter().map(verdict).collect()
}
