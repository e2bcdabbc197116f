//! What came of the abuse, and whether it kept within the bounds.

use std::fmt::Write as _;
use std::time::Duration;

use super::honest::{Asked, Outcome as Fate, Who};
use super::outcome::{Outcome, Played};
use super::phases::CALM;
use crate::machine::Machine;
use crate::report::columns;
use crate::stats::percentile;

/// The most memory of the process: it took 179 MiB with everything at once, over 10,000 connections, of
/// which a tenth held nearly as large a head as they may.
const MOST_MIB: f64 = 256.0;

/// The most threads of the process beside one a core: 16 there are with the defaults, and none is added,
/// whatever clients do.
const MOST_THREADS_BESIDE: f64 = 18.0;

/// The most time that a stop takes: the default `shutdown_timeout_ms`, and a second to end.
const STOPPED_AFTER: Duration = Duration::from_secs(31);

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// How the honest clients of a phase fared.
struct Fared {
    requests: usize,
    p50_ms: f64,
    p99_ms: f64,
    most_ms: f64,
    refused: usize,
    lost: usize,
    reopened: usize,
}

impl Fared {
    fn of<'a>(asked: impl Iterator<Item = &'a Asked>) -> Self {
        let asked: Vec<_> = asked.collect();
        let mut times: Vec<f64> =
            asked.iter().map(|it| (it.ended - it.begun).as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let count = |is: fn(&Asked) -> bool| asked.iter().filter(|it| is(it)).count();
        Self {
            requests: asked.len(),
            p50_ms: percentile(&times, 50),
            p99_ms: percentile(&times, 99),
            most_ms: percentile(&times, 100),
            refused: count(|it| matches!(it.outcome, Fate::Refused(_))),
            lost: count(|it| matches!(it.outcome, Fate::Lost(_))),
            reopened: count(|it| it.reopened),
        }
    }
}

impl Outcome {
    /// What was asked in a phase, and answered before the server was told to stop.
    fn asked_in(&self, played: &Played) -> impl Iterator<Item = &Asked> {
        let (from, until) = (played.begun, played.ended);
        let told_to_stop = self.played.last().map(|last| last.ended);
        self.asked.iter().filter(move |it| {
            it.begun >= from && it.begun < until && told_to_stop.is_none_or(|end| it.ended < end)
        })
    }

    fn clients(&self, played: &Played) -> Fared {
        Fared::of(self.asked_in(played).filter(|it| it.who != Who::Operator))
    }

    fn those(&self, played: &Played, who: Who) -> Fared {
        Fared::of(self.asked_in(played).filter(|it| it.who == who))
    }
}

/// All of it.
pub(super) fn text(outcomes: &[Outcome]) -> String {
    let mut text = tables(outcomes);
    for outcome in outcomes {
        let name = outcome.which.name();
        let _ = writeln!(text, "\n{name}:");
        for played in &outcome.played {
            let _ = writeln!(text, "  {}: {}", played.name, abuse(played));
            let mut fates: Vec<_> =
                outcome.asked_in(played).map(|it| (it.who, &it.outcome)).collect();
            fates.retain(|(_, fate)| **fate != Fate::Served);
            for (who, fate) in fates.iter().take(3) {
                let _ = writeln!(text, "    not served, as this one: {who:?}, {fate:?}");
            }
        }
        let stop = &outcome.stop;
        let code = stop.code.map_or("none".to_owned(), |code| code.to_string());
        let after = stop.after.as_secs_f64();
        let _ = writeln!(
            text,
            "  told to stop amid the last: ended after {after:.1} s, exit code {code}"
        );
    }
    text
}

fn tables(outcomes: &[Outcome]) -> String {
    let mut fares = vec![
        [
            "honest clients",
            "",
            "requests",
            "p50 ms",
            "p99 ms",
            "of calm's",
            "anew p99 ms",
            "most ms",
            "refused",
            "lost",
            "reopened",
            "ready p99 ms",
            "lost",
        ]
        .map(str::to_owned),
    ];
    let mut costs = vec![
        ["server", "", "MiB", "threads", "files", "CPU %", "abusers' CPU %", "others' %"]
            .map(str::to_owned),
    ];
    let phases = outcomes.iter().map(|outcome| outcome.played.len()).max().unwrap_or(0);
    for number in 0..phases {
        let played = outcomes.iter().filter_map(|it| Some((it, it.played.get(number)?)));
        for (row, (outcome, played)) in played.enumerate() {
            let name = if row == 0 { played.name } else { "" };
            let names = [name.to_owned(), outcome.which.name().to_owned()];
            fares.push(fare_row(names.clone(), outcome, played));
            costs.push(cost_row(names, played));
        }
    }
    format!("\n{}\n{}", columns(&fares), columns(&costs))
}

fn fare_row([phase, name]: [String; 2], outcome: &Outcome, played: &Played) -> [String; 13] {
    let it = outcome.clients(played);
    let anew = outcome.those(played, Who::Connecting);
    let operator = outcome.those(played, Who::Operator);
    let calm = outcome.played.iter().find(|it| it.name == CALM);
    let of_calm = calm.map_or(f64::NAN, |calm| it.p99_ms / outcome.clients(calm).p99_ms);
    let has_operator = operator.requests > 0;
    let dash = |text: String| if has_operator { text } else { "-".to_owned() };
    [
        phase,
        name,
        it.requests.to_string(),
        format!("{:.2}", it.p50_ms),
        format!("{:.2}", it.p99_ms),
        format!("{of_calm:.1}"),
        format!("{:.2}", anew.p99_ms),
        format!("{:.0}", it.most_ms),
        it.refused.to_string(),
        it.lost.to_string(),
        it.reopened.to_string(),
        dash(format!("{:.2}", operator.p99_ms)),
        dash((operator.refused + operator.lost).to_string()),
    ]
}

fn cost_row([phase, name]: [String; 2], played: &Played) -> [String; 8] {
    let seconds = (played.ended - played.begun).as_secs_f64();
    let percent = |cpu: f64| format!("{:.0}", cpu / seconds * 100.0);
    [
        phase,
        name,
        format!("{:.0}", played.held.resident as f64 / MEBIBYTE),
        played.held.threads.to_string(),
        played.held.files.to_string(),
        percent(played.cpu),
        percent(played.abusers_cpu),
        format!("{:.0}", played.elsewhere * 100.0),
    ]
}

/// What the abusers did, and what stood against them.
fn abuse(played: &Played) -> String {
    let tally = &played.tally;
    let mut text = format!("{} connections opened, {} ended by it", tally.opened, tally.ended);
    if tally.not_opened > 0 {
        let _ = write!(text, ", {} not opened", tally.not_opened);
    }
    if tally.unasked_bytes > 0 {
        let _ = write!(text, "; {:.0} MiB of bodies taken", tally.unasked_bytes as f64 / MEBIBYTE);
    }
    let answers: Vec<_> = tally.answers.iter().map(|(it, times)| format!("{it} {times}")).collect();
    if !answers.is_empty() {
        let _ = write!(text, "; answers: {}", answers.join(", "));
    }
    let acted: Vec<_> = played.acted.iter().map(|(it, times)| format!("{it} {times}")).collect();
    if !acted.is_empty() {
        let _ = write!(text, "; limits: {}", acted.join(", "));
    }
    text
}

/// What should not have been.
pub(super) fn faults(outcome: &Outcome) -> Vec<String> {
    let mut faults = Vec::new();
    for played in &outcome.played {
        let name = played.name;
        let clients = outcome.clients(played);
        let operator = outcome.those(played, Who::Operator);
        let (refused, lost) = (clients.refused, clients.lost);
        if refused + lost > 0 {
            faults
                .push(format!("{name}: {refused} honest requests were refused, {lost} were lost"));
        }
        if operator.refused + operator.lost > 0 {
            let times = operator.refused + operator.lost;
            faults.push(format!("{name}: operators were not answered {times} times"));
        }
        let (mib, threads) = (played.held.resident as f64 / MEBIBYTE, played.held.threads);
        if mib > MOST_MIB {
            faults.push(format!("{name}: {mib:.0} MiB of memory, where {MOST_MIB:.0} are allowed"));
        }
        let most = MOST_THREADS_BESIDE + Machine::cores();
        if threads as f64 > most {
            faults.push(format!("{name}: {threads} threads, where {most:.0} are allowed"));
        }
    }
    if outcome.stop.code != Some(0) {
        faults.push(format!("it ended with {:?} instead of exit code 0", outcome.stop.code));
    }
    if outcome.stop.after > STOPPED_AFTER {
        faults.push(format!("it took {:.1} s to stop", outcome.stop.after.as_secs_f64()));
    }
    faults
}
