//! The tables of one distance, and what is wanted of Tollgate there.

use std::fmt;

use serde_json::{Value, json};

use super::Distance;
use super::point::{Figures, Measured, Point};
use crate::report::columns;
use crate::stats::Spread;
use crate::target::{Bound, FEWEST_ROUNDS, Verdict};

/// Well below what it carries, over one round trip and the bare app's p50.
const MOST_OF_P50: Bound = Bound::AtMost(1.15);
const MOST_OF_P99: Bound = Bound::AtMost(2.0);

/// Both tables of one distance.
pub(super) fn tables(distance: &Distance) -> String {
    let trips = distance.points.iter().flat_map(|it| &it.round_trips_us).copied();
    let trip = Spread::of(trips).show(0);
    format!(
        "{} ms each way; one EVALSHA round trip: {trip} µs\n{}{}\n",
        distance.delay_ms,
        table(distance, "a third of the most", |it| &it.below),
        table(distance, "the most", |it| &it.at_most),
    )
}

fn table(distance: &Distance, load: &str, of: fn(&Measured) -> &[Figures]) -> String {
    let header = [
        load,
        "connections",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "p50, trips",
        "less bare's",
        "server µs",
        "Redis µs",
        "relay µs",
        "lost",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    for point in &distance.points {
        let measured = point.contenders.iter().filter(|it| !of(it).is_empty());
        rows.extend(measured.map(|it| row(point, it, of(it))));
    }
    columns(&rows)
}

fn row(point: &Point, measured: &Measured, figures: &[Figures]) -> [String; 11] {
    let of = |figure: fn(&Figures) -> f64| Spread::of(figures.iter().map(figure)).median;
    let dash = |text: String| if measured.asks_redis { text } else { "-".to_owned() };
    let trips = Spread::of(point.in_trips(figures, |it, _| it.p50_us)).median;
    let less_bare = Spread::of(point.in_trips(figures, |it, bare| it.p50_us - bare.p50_us)).median;
    [
        measured.name.clone(),
        point.connections.to_string(),
        format!("{:.0}", of(|it| it.requests_per_s)),
        format!("{:.2}", of(|it| it.p50_us / 1e3)),
        format!("{:.2}", of(|it| it.p99_us / 1e3)),
        dash(format!("{trips:.2}")),
        dash(format!("{less_bare:.2}")),
        format!("{:.1}", of(|it| it.server_us)),
        dash(format!("{:.2}", of(|it| it.redis_us))),
        dash(format!("{:.1}", of(|it| it.relay_us))),
        format!("{:.0}", of(|it| it.lost)),
    ]
}

impl Point {
    /// One of `figures`, beside the bare app's below the most, in round trips of the same round.
    fn in_trips(
        &self,
        figures: &[Figures],
        figure: impl Fn(&Figures, &Figures) -> f64,
    ) -> Vec<f64> {
        let bare = &self.contenders[0].below;
        let rounds = figures.iter().zip(bare).zip(&self.round_trips_us);
        rounds.map(|((it, bare), trip)| figure(it, bare) / trip).collect()
    }

    /// One of `figures` over a round trip and the bare app's p50.
    fn over_the_least(&self, figures: &[Figures], figure: fn(&Figures) -> f64) -> Spread {
        let bare = &self.contenders[0].below;
        let rounds = figures.iter().zip(bare).zip(&self.round_trips_us);
        Spread::of(rounds.map(|((it, bare), trip)| figure(it) / (trip + bare.p50_us)))
    }
}

/// A target, and what came out.
#[derive(Debug)]
pub(super) struct Held {
    target: String,
    value: Spread,
    verdict: Verdict,
}

impl Held {
    pub(super) fn json(&self) -> Value {
        let verdict = self.verdict.to_string();
        json!({ "target": self.target, "value": self.value, "verdict": verdict })
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.verdict, self.target, self.value.show(2))
    }
}

/// What is wanted of Tollgate, whatever its setting `connections`, where it is asked a third of the most.
pub(super) fn targets(distance: &Distance) -> Vec<Held> {
    let mut targets = Vec::new();
    for point in &distance.points {
        for it in point.contenders.iter().filter(|it| it.name.starts_with("tollgate")) {
            let held = |what, bound: Bound, figure| {
                let value = point.over_the_least(&it.below, figure);
                let is_enough = it.below.len() >= FEWEST_ROUNDS;
                let target = format!(
                    "{} ms, {} connections, {}: {what} over a round trip and the bare p50 {bound}",
                    distance.delay_ms, point.connections, it.name
                );
                let verdict =
                    if is_enough { bound.verdict(value.median) } else { Verdict::CannotConclude };
                Held { target, value, verdict }
            };
            targets.push(held("p50", MOST_OF_P50, |figures: &Figures| figures.p50_us));
            targets.push(held("p99", MOST_OF_P99, |figures| figures.p99_us));
        }
    }
    targets
}
