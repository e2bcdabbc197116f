use super::forms::{all, written};
use super::samples;
use crate::app::simulate::report::Report;

fn lines(report: &Report) -> Vec<String> {
    let text = written(|it| crate::app::simulate::show::text(report, it, 80));
    text.lines().map(str::to_owned).collect()
}

/// The text in one line, as sentences may break anywhere.
fn joined(report: &Report) -> String {
    lines(report).join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_says(report: &Report, sentence: &str) {
    let text = joined(report);
    assert!(text.contains(sentence), "{text}");
}

#[test]
fn the_verdict_counts_requests_and_clients() {
    assert_says(
        &samples::a_day(),
        "The configuration would have denied 1,204 of 98,310 requests (1.22 %), of 17 of 3,201 clients (0.53 %). \
         Without the ten clients that are denied most often, it would have denied 12 (0.01 %).",
    );
    assert_says(
        &samples::nothing_denied(),
        "The configuration would have denied none of 98,310 requests, and none of 3,201 clients.",
    );
    assert_says(&samples::one_request(), "denied none of 1 request, and none of 1 client.");
    assert_says(&samples::nothing(), "Configuration: candidate.toml There is no request to replay");
}

#[test]
fn what_was_read_comes_first() {
    let day = samples::a_day();
    assert_says(
        &day,
        "Read 98,324 lines of 2 files. 14 of them could not be parsed (0.01 %). \
         98,310 requests came from 2026-11-26 00:00:03 to 2026-11-26 23:59:59 UTC (23 h 59 min).",
    );
    assert_says(
        &day,
        "access.log.1.gz: combined, 50,123 lines; it ends early: the compressed data",
    );
    assert_says(&day, "access.log:17: the request has no closing quote");
    assert_says(&samples::one_request(), "1 request came at 2026-11-26 10:00:05 UTC.");
    assert_says(&samples::one_request(), "standard input: combined, 1 line");
}

#[test]
fn of_many_files_the_rest_is_counted() {
    let mut day = samples::a_day();
    day.log.files = vec![day.log.files[1].clone(); 31];
    assert_eq!(joined(&day).matches("access.log: combined").count(), 20);
    assert_says(&day, "and 11 more files");
    day.log.files.truncate(21);
    assert_says(&day, "and 1 more file ");
}

#[test]
fn a_policy_has_its_figures() {
    let day = samples::a_day();
    assert_says(&day, "Policy default: 10/minute, fixed-window, by user-or-ip");
    assert_says(&day, "denied without the top ten 12 0.01 % of the requests");
    assert_says(&day, "denials of the 2nd client 310 denials of the 10th client 12 longest");
    assert_says(&day, "clients at 90 % of the quota 40 1.25 % of them, never denied");
    assert_says(&day, "longest time denied 1 h 20 min without a break, of ip:203.0.113.7");
    assert_says(&day, "Policy login: 5/minute, sliding-log, by ip");
    assert_says(&day, "The policy is in shadow");
}

#[test]
fn worst_clients_are_in_columns() {
    let lines = lines(&samples::a_day());
    let head = "  denied  requests  peak  first denial  last denial  client";
    let place = lines.iter().position(|line| line == head).expect("there is a table");
    assert_eq!(
        lines[place + 1..place + 3],
        [
            "     640     1,928   139  08:10:40      12:14:40     ip:203.0.113.7",
            "     310       938    73  08:05:10      11:36:10     user:1042",
        ]
    );
}

#[test]
fn the_chart_shows_each_denial() {
    let lines = lines(&samples::a_day());
    let begin = |text: &str| lines.iter().position(|line| line.starts_with(text));
    let requests = begin("  requests          ").expect("there is a chart");
    assert_eq!(lines[requests + 7], format!("{:20}11-26 00:00{:26}11-27 00:00", "", ""));
    let denied = &lines[requests + 4..requests + 7];
    assert!(denied[0].starts_with("  denied "));
    assert!(denied[1].starts_with("  at most 162 "));
    let bars: Vec<_> = denied[2].chars().skip(20).collect();
    assert!(bars.contains(&'▁') && bars.contains(&'█'), "{bars:?}");
    for without in [samples::nothing(), samples::one_request()] {
        assert!(!joined(&without).contains("a bar for each"));
    }
}

#[test]
fn a_chart_that_is_there_already_is_left_out() {
    let charts = |report| joined(&report).matches("a bar for each").count();
    assert_eq!(charts(samples::a_day()), 3);
    let mut report = samples::a_day();
    let whole = report.candidate.timeline.clone();
    report.candidate.policies.values_mut().for_each(|it| it.timeline = whole.clone());
    assert_eq!(charts(report), 1);
}

#[test]
fn two_configurations_are_compared() {
    let report = samples::compared();
    assert_says(&report, "Candidate: candidate.toml Current configuration: current.toml The simu");
    assert_says(&report, "30 requests (0.03 %) are refused by the ban of a penalty.");
    assert_says(&report, "The candidate would have denied 1,204");
    assert_says(
        &report,
        "The current configuration would have denied 812 of 98,310 requests (0.83 %)",
    );
    assert_says(
        &report,
        "500 requests are newly denied. 5 clients are denied only by the candidate.",
    );
    assert_says(&report, "1 request is no longer denied. 1 client is denied only by the current");
    assert_says(&report, "and 3 more clients");
    assert_says(&report, "812 1,204 17 17 default - 14 - 2 login");
    assert_says(&report, "The simulation was interrupted before the logs ended.");
}

#[test]
fn what_the_log_cannot_show_comes_last() {
    let lines = lines(&samples::compared());
    let place = lines.iter().position(|line| line == "What the log cannot show");
    let after = &lines[place.expect("there are caveats") + 2..];
    assert!(after[0].starts_with("* A client that is denied"), "{after:?}");
    assert!(after[1].starts_with("  "), "{after:?}");
    assert!(!joined(&samples::nothing()).contains("What the log cannot show"));
}

#[test]
fn lines_fit_and_hold_nothing_but_letters() {
    for report in all() {
        for line in lines(&report) {
            assert_eq!(line, line.trim_end());
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(!line.contains('\u{202e}'), "{line:?}");
        }
    }
    for report in &all()[..5] {
        for line in lines(report) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
