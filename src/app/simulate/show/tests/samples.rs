//! Reports, from nothing to too much.

use std::collections::BTreeMap;

use crate::app::access_log::{FileSummary, LogSummary, UnparsedLine};
use crate::app::simulate::report::{
    ChangedClient, Difference, Outcome, PolicyOutcome, Report, Timeline, Totals, WorstClient,
};
use crate::domain::clock::Millis;

/// 2026-11-26 00:00:00.
pub(super) const BEGIN: Millis = 1_795_651_200_000;
const HOUR: Millis = 3_600_000;

/// No request at all.
pub(super) fn nothing() -> Report {
    Report {
        log: LogSummary::default(),
        interrupted: false,
        caveats: Vec::new(),
        candidate: outcome(
            "candidate.toml",
            BTreeMap::new(),
            Totals::default(),
            Timeline::default(),
        ),
        current: None,
        difference: None,
    }
}

/// One request, which is admitted.
pub(super) fn one_request() -> Report {
    let at = BEGIN + 36_005_000;
    let timeline = Timeline { start: at, step: 1_000, requests: vec![1], denied: vec![0] };
    let policy = PolicyOutcome { requests: 1, clients: 1, ..admitting(timeline.clone()) };
    let totals = Totals { requests: 1, admitted: 1, clients: 1, ..Totals::default() };
    let log = LogSummary {
        files: vec![file("-", "combined", 1)],
        lines: 1,
        requests: 1,
        first_at: Some(at),
        last_at: Some(at),
        time_step: 1_000,
        ..LogSummary::default()
    };
    let policies = [("default".to_owned(), policy)].into();
    Report { log, candidate: outcome("candidate.toml", policies, totals, timeline), ..nothing() }
}

/// A day of many requests, of which none is denied.
pub(super) fn nothing_denied() -> Report {
    let timeline = Timeline { denied: vec![0; 288], ..day() };
    let policy = PolicyOutcome { clients_near: 40, ..admitting(timeline.clone()) };
    let totals = Totals { requests: 98_310, admitted: 98_310, clients: 3_201, ..Totals::default() };
    let policies = [("default".to_owned(), policy)].into();
    Report {
        log: log(),
        candidate: outcome("candidate.toml", policies, totals, timeline),
        caveats: caveats(),
        ..nothing()
    }
}

/// A day of many requests and some denials, under two policies.
pub(super) fn a_day() -> Report {
    let login = PolicyOutcome {
        quota: "5/minute".to_owned(),
        algorithm: "sliding-log".to_owned(),
        key: "ip".to_owned(),
        shadow: true,
        requests: 812,
        denied: 14,
        clients: 301,
        clients_denied: 2,
        clients_near: 3,
        longest_closed_ms: 42_000,
        denied_of_second: 3,
        denied_of_tenth: 0,
        denied_without_top_ten: 0,
        worst: vec![worst("ip:203.0.113.7", 11), worst("ip:2001:db8:1234:5678::/64", 3)],
        timeline: Timeline {
            requests: (0..288).map(|it| if it == 99 { 19 } else { it % 6 }).collect(),
            denied: (0..288).map(|it| u64::from(it == 99) * 14).collect(),
            ..day()
        },
        ..denying()
    };
    let default = Timeline { requests: vec![320; 288], ..day() };
    let default = PolicyOutcome { timeline: default, ..denying() };
    let policies = [("default".to_owned(), default), ("login".to_owned(), login)].into();
    let totals = Totals {
        requests: 98_310,
        admitted: 96_000,
        denied: 1_204,
        unlimited: 1_000,
        allowed: 70,
        blocked: 6,
        banned: 30,
        clients: 3_201,
        clients_denied: 17,
        denied_without_top_ten: 12,
    };
    Report {
        log: log(),
        caveats: caveats(),
        candidate: outcome("candidate.toml", policies, totals, day()),
        ..nothing()
    }
}

/// The same day beside a current configuration.
pub(super) fn compared() -> Report {
    let day = a_day();
    let totals = Totals { denied: 812, clients_denied: 12, ..day.candidate.totals };
    let policies = [("default".to_owned(), PolicyOutcome { denied: 812, ..denying() })].into();
    let current = outcome("current.toml", policies, totals, day.candidate.timeline.clone());
    let changed = |client: &str, denied| ChangedClient {
        client: client.to_owned(),
        requests: denied * 7,
        denied,
    };
    let difference = Difference {
        newly_denied: 500,
        newly_admitted: 1,
        clients_newly_denied: vec![changed("ip:203.0.113.7", 320), changed("user:1042", 12)],
        clients_newly_admitted: vec![changed("ip:198.51.100.3", 1)],
        clients_newly_denied_count: 5,
        clients_newly_admitted_count: 1,
    };
    Report { current: Some(current), difference: Some(difference), interrupted: true, ..day }
}

fn outcome(
    config: &str,
    policies: BTreeMap<String, PolicyOutcome>,
    totals: Totals,
    timeline: Timeline,
) -> Outcome {
    Outcome { config: vec![config.to_owned()], totals, policies, timeline }
}

fn file(name: &str, format: &str, lines: u64) -> FileSummary {
    FileSummary { name: name.to_owned(), format: format.to_owned(), lines, cut_off: None }
}

fn log() -> LogSummary {
    let cut_off = Some("the compressed data end in the middle".to_owned());
    let unparsed = |line, text: &str, reason: &str| UnparsedLine {
        file: "access.log".to_owned(),
        line,
        text: text.to_owned(),
        reason: reason.to_owned(),
    };
    LogSummary {
        files: vec![
            FileSummary { cut_off, ..file("access.log.1.gz", "combined", 50_123) },
            file("access.log", "combined", 48_201),
        ],
        lines: 98_324,
        unparsed: 14,
        first_unparsed: vec![
            unparsed(
                17,
                "203.0.113.9 - - [26/Nov/2026:00:00:41 +0000] \"GET /search?q=\\\"a+long+word+that+nobody+ends",
                "the request has no closing quote",
            ),
            unparsed(20_410, "logrotate: done", "there is no time"),
        ],
        requests: 98_310,
        first_at: Some(BEGIN + 3_000),
        last_at: Some(BEGIN + 24 * HOUR - 1_000),
        time_step: 1_000,
        with_duration: 98_310,
        with_end: 98_310,
        with_user: 12_000,
        without_address: 0,
        already_429: 44,
        out_of_order: 1,
    }
}

fn caveats() -> Vec<String> {
    vec![
        "A client that is denied may come again later, or not at all. The log cannot show which, so the figures of denials may be too high or too low.".to_owned(),
        "The log names no API keys. Policies by user count by address.".to_owned(),
    ]
}

/// A day in buckets of five minutes.
fn day() -> Timeline {
    let requests = (0..288_u64).map(|it| 180 + (it.abs_diff(170) * 7 % 40) + 2 * it.min(288 - it));
    let denied =
        (0..288_u64).map(|it| if (96..140).contains(&it) { 27 } else { u64::from(it % 19 == 0) });
    Timeline { start: BEGIN, step: 300_000, requests: requests.collect(), denied: denied.collect() }
}

fn admitting(timeline: Timeline) -> PolicyOutcome {
    PolicyOutcome {
        quota: "600/minute".to_owned(),
        algorithm: "fixed-window".to_owned(),
        key: "user-or-ip".to_owned(),
        shadow: false,
        requests: 98_310,
        denied: 0,
        clients: 3_201,
        clients_denied: 0,
        clients_near: 0,
        longest_closed_ms: 0,
        longest_closed_client: None,
        denied_of_second: 0,
        denied_of_tenth: 0,
        denied_of_hundredth: 0,
        denied_without_top_ten: 0,
        worst: Vec::new(),
        timeline,
    }
}

fn denying() -> PolicyOutcome {
    PolicyOutcome {
        quota: "10/minute".to_owned(),
        denied: 1_204,
        clients_denied: 17,
        clients_near: 40,
        longest_closed_ms: 80 * 60_000,
        longest_closed_client: Some("ip:203.0.113.7".to_owned()),
        denied_of_second: 310,
        denied_of_tenth: 12,
        denied_without_top_ten: 12,
        worst: vec![
            worst("ip:203.0.113.7", 640),
            worst("user:1042", 310),
            worst("ip:2001:db8:1234:5678::/64", 97),
            worst("ip:198.51.100.23", 12),
        ],
        ..admitting(day())
    }
}

fn worst(client: &str, denied: u64) -> WorstClient {
    WorstClient {
        client: client.to_owned(),
        requests: denied * 3 + 8,
        denied,
        peak: denied / 5 + 11,
        first_denied_at: BEGIN + 8 * HOUR + denied * 1_000,
        last_denied_at: BEGIN + 11 * HOUR + denied * 7_000,
    }
}
