//! What a report says in sentences, in the text and on the page.

use super::times::TimeForm;
use super::words::{brief, count, counted, duration, listed, share};
use crate::app::access_log::LogSummary;
use crate::app::simulate::report::{Difference, Outcome, PolicyOutcome, Report};

/// What was read.
pub(super) fn read(log: &LogSummary) -> Vec<String> {
    let files = counted(u64::try_from(log.files.len()).unwrap_or(u64::MAX), "file");
    let lines = counted(log.lines, "line");
    let unparsed = match log.unparsed {
        0 => "All could be parsed.".to_owned(),
        unparsed => {
            let share = share(unparsed, log.lines);
            format!("{} of them could not be parsed ({share}).", count(unparsed))
        }
    };
    let mut sentences = match log.lines {
        0 => vec![format!("Read no line of {files}.")],
        _ => vec![format!("Read {lines} of {files}."), unparsed],
    };
    sentences.push(span(log));
    if log.time_step > 1 {
        sentences.push(format!("The logged times have steps of {}.", duration(log.time_step)));
    }
    let told = |number: u64, singular: &str, plural: &str| {
        let verb = if number == 1 { singular } else { plural };
        (number > 0).then(|| format!("{} {verb}.", counted(number, "request")))
    };
    sentences.extend(told(
        log.with_duration,
        "has its duration in the log: its time is when it began",
        "have their duration in the log: their times are when they began",
    ));
    sentences.extend(told(log.with_user, "names a user", "name a user"));
    sentences.extend(told(
        log.without_address,
        "has no address of a client",
        "have no address of a client",
    ));
    sentences.extend(told(
        log.already_429,
        "was answered with 429 already",
        "were answered with 429 already",
    ));
    sentences.extend(told(
        log.out_of_order,
        "came too late to be sorted in: it is replayed at the time of the request before it",
        "came too late to be sorted in: they are replayed at the time of the request before them",
    ));
    sentences
}

/// How many requests there are, and when they came.
fn span(log: &LogSummary) -> String {
    let requests = counted(log.requests, "request");
    match times(log) {
        Some(times) => format!("{requests} came {times}."),
        None => "There is no request.".to_owned(),
    }
}

/// From when to when the requests came, if there is any.
pub(super) fn times(log: &LogSummary) -> Option<String> {
    let (first, last) = (log.first_at?, log.last_at?);
    let [from, to] = [first, last].map(|at| TimeForm::Full.of(at));
    if from == to {
        return Some(format!("at {from} UTC"));
    }
    let length = duration(last.saturating_sub(first));
    Some(format!("from {from} to {to} UTC ({length})"))
}

/// Each configuration: which it is, and its files.
pub(super) fn configurations(report: &Report) -> Vec<(&'static str, String)> {
    let files = |outcome: &Outcome| {
        let names: Vec<_> = outcome.config.iter().map(|it| brief(it)).collect();
        if names.is_empty() { "the built-in defaults".to_owned() } else { listed(&names) }
    };
    let candidate = files(&report.candidate);
    match &report.current {
        None => vec![("Configuration", candidate)],
        Some(current) => vec![("Candidate", candidate), ("Current configuration", files(current))],
    }
}

/// What the configuration would have done, in paragraphs of sentences.
pub(super) fn verdict(report: &Report) -> Vec<Vec<String>> {
    let totals = &report.candidate.totals;
    let is_compared = report.current.is_some();
    let name = if is_compared { "The candidate" } else { "The configuration" };
    if totals.requests == 0 {
        return vec![vec!["There is no request to replay, so there is nothing to say.".to_owned()]];
    }
    let mut sentences = vec![format!("{name} would have denied {}.", denials(&report.candidate))];
    if totals.clients_denied > 10 {
        let rest = totals.denied_without_top_ten;
        let share = share(rest, totals.requests);
        sentences.push(format!(
            "Without the ten clients that are denied most often, it would have denied {} ({share}).",
            count(rest)
        ));
    }
    let current = report.current.as_ref().map(|current| {
        vec![format!("The current configuration would have denied {}.", denials(current))]
    });
    let paragraphs = [Some(sentences), current, Some(others(&report.candidate))];
    paragraphs.into_iter().flatten().filter(|it| !it.is_empty()).collect()
}

/// How many of how many requests and clients are denied.
fn denials(outcome: &Outcome) -> String {
    let totals = &outcome.totals;
    let [requests, clients] =
        [counted(totals.requests, "request"), counted(totals.clients, "client")];
    let denied = match totals.denied {
        0 => format!("none of {requests}"),
        denied => {
            format!("{} of {requests} ({})", count(denied), share(denied, totals.requests))
        }
    };
    match (totals.clients, totals.clients_denied) {
        (0, _) => denied,
        (_, 0) => format!("{denied}, and none of {clients}"),
        (all, some) => format!("{denied}, of {} of {clients} ({})", count(some), share(some, all)),
    }
}

/// What became of requests other than that policies admitted or denied them.
fn others(outcome: &Outcome) -> Vec<String> {
    let totals = &outcome.totals;
    let told = |number: u64, singular: &str, plural: &str| {
        let verb = if number == 1 { singular } else { plural };
        let share = share(number, totals.requests);
        (number > 0).then(|| format!("{} ({share}) {verb}.", counted(number, "request")))
    };
    let sentences = [
        told(totals.unlimited, "meets no policy", "meet no policy"),
        told(
            totals.allowed,
            "passes uncounted by an access list",
            "pass uncounted by an access list",
        ),
        told(totals.blocked, "is refused by an access list", "are refused by an access list"),
        told(
            totals.banned,
            "is refused by the ban of a penalty",
            "are refused by the ban of a penalty",
        ),
    ];
    sentences.into_iter().flatten().collect()
}

/// That not all of the logs was replayed.
pub(super) fn interruption(report: &Report) -> Option<&'static str> {
    const TEXT: &str = "The simulation was interrupted before the logs ended. The figures are of what was replayed until then.";
    report.interrupted.then_some(TEXT)
}

/// What kind of limit a policy is.
pub(super) fn kind(policy: &PolicyOutcome) -> String {
    let PolicyOutcome { quota, algorithm, key, .. } = policy;
    format!("{quota}, {algorithm}, by {key}")
}

/// What is to be known of the figures of a policy in shadow.
pub(super) const SHADOW: &str =
    "The policy is in shadow: it denies nothing. The figures are what it would deny in force.";

/// How many requests and clients fare differently.
pub(super) fn difference(difference: &Difference) -> Vec<String> {
    let told = |requests, clients, what: &str, only: &str| {
        let verb = if requests == 1 { "is" } else { "are" };
        let whose = if clients == 1 { "client is" } else { "clients are" };
        let clients = match clients {
            0 => format!("No client is denied {only}."),
            _ => format!("{} {whose} denied {only}.", count(clients)),
        };
        format!("{} {verb} {what}. {clients}", counted(requests, "request"))
    };
    vec![
        told(
            difference.newly_denied,
            difference.clients_newly_denied_count,
            "newly denied",
            "only by the candidate",
        ),
        told(
            difference.newly_admitted,
            difference.clients_newly_admitted_count,
            "no longer denied",
            "only by the current configuration",
        ),
    ]
}
