use super::*;
use crate::app::access_log::LogSummary;
use crate::app::suggest::abuse::Abuse;
use crate::app::suggest::peaks::Peaks;
use crate::app::suggest::report::{Asked, Counted, Refusals};

const CAVEAT: &str =
    "A caveat of so many words that it takes more than one line of eighty columns to say it.";

fn suggestion(algorithm: &'static str) -> Suggestion {
    let found = Found {
        units: 12_345,
        quota: "12345/day".to_owned(),
        refused: Refusals { clients: 1, requests: 987_654 },
        refused_with_one_less: Some(Refusals { clients: 13, requests: 990_000 }),
        busiest_not_refused: Some(12_345),
        busiest_uses_percent: Some(100),
        units_with_margin: 15_432,
        abuse: Abuse { at_once: 12_345, in_any_window: 24_690, in_any_day: 1_066_620_345 },
        toml: format!("[policies.suggested]\nalgorithm = \"{algorithm}\"\n"),
    };
    Suggestion { algorithm, found: Some(found), not_found: None }
}

fn shown(suggestions: Vec<Suggestion>) -> String {
    written(&report(suggestions))
}

fn written(report: &Suggestions) -> String {
    let mut output = Vec::new();
    text(report, &mut output).expect("it is written to memory");
    String::from_utf8(output).expect("text")
}

fn report(suggestions: Vec<Suggestion>) -> Suggestions {
    let peaks = Peaks { clients: 8_412, p50: 3, p90: 12, p99: 410, p99_9: 1_234, max: 987_654 };
    let window = OfWindow { window: "day".to_owned(), window_ms: 86_400_000, peaks, suggestions };
    Suggestions {
        log: LogSummary::default(),
        caveats: vec![CAVEAT.to_owned()],
        asked: Asked {
            deny_at_most: "0.1%".to_owned(),
            of: "clients",
            most_refused: 8,
            key: "user-or-ip".to_owned(),
            routes: vec!["POST /login".to_owned()],
            charge_on: None,
        },
        counted: Counted { clients: 8_412, requests: 1_234_567, ..Counted::default() },
        windows: vec![window],
    }
}

#[test]
fn the_report_fits_into_eighty_columns() {
    let all = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"].map(suggestion);
    let shown = shown(all.to_vec());
    let head = "\
Each quota is the smallest that would have refused at most 0.1% of the clients:
at most 8 of 8412.
1234567 requests of 8412 clients were counted, by user-or-ip, for POST /login.

Per day
In its busiest day, half of the clients sent at most 3, 90% at most 12, 99% at
most 410, 99.9% at most 1234, and the busiest 987654.
";
    assert!(shown.starts_with(head), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= usize::from(WIDTH)), "{shown}");
    let cells = |name: &str| -> Vec<&str> {
        let line = shown.lines().find(|line| line.starts_with(name)).expect(name);
        line.split_whitespace().collect()
    };
    assert_eq!(
        cells("sliding-log"),
        ["sliding-log", "12345", "15432", "1", "987654", "24690", "1066620345"]
    );
    assert!(shown.contains(
        "By token-bucket, 12345/day refuses 1 client, and one unit less refuses 13. The\n\
         busiest client that is not refused uses 100% of it. A quarter more is 15432.\n\
         \n[policies.suggested]\nalgorithm = \"token-bucket\"\n"
    ));
    assert_eq!(shown.matches("[policies.suggested]").count(), 1);
    let end = "columns\n  to say it.\n";
    assert!(shown.ends_with(end), "{shown}");
}

#[test]
fn what_was_not_found_has_its_reason() {
    let none = Suggestion {
        algorithm: "sliding-log",
        found: None,
        not_found: Some("The largest quota is too small.".to_owned()),
    };
    let both = shown(vec![none.clone(), suggestion("fixed-window")]);
    assert!(both.contains("\nThe largest quota is too small.\n"), "{both}");
    assert!(both.contains("algorithm = \"fixed-window\""), "{both}");
    let alone = shown(vec![none]);
    assert!(alone.contains("\nThe largest quota is too small.\n"), "{alone}");
    assert!(!alone.contains("quarter"), "{alone}");
}

#[test]
fn without_requests_there_are_no_tables() {
    let mut report = report(vec![suggestion("fixed-window")]);
    report.counted = Counted::default();
    report.asked.most_refused = 0;
    let shown = written(&report);
    assert!(
        shown.contains("clients:\nnone of 0.\n0 requests of 0 clients were counted"),
        "{shown}"
    );
    assert!(!shown.contains("fixed-window"), "{shown}");
}
