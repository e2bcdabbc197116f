//! A report that is as odd as a report can be.

use crate::app::access_log::{FileSummary, LogSummary, UnparsedLine};
use crate::app::simulate::report::{
    ChangedClient, Difference, Outcome, PolicyOutcome, Report, Timeline, Totals, WorstClient,
};

/// Counts and times that are as large as they can be, and names that are not names.
pub(super) fn extreme() -> Report {
    const NAME: &str = "<script>alert(1)</script>\u{1b}[2J\r\n\"'&\u{202e}\u{0}";
    let name = || NAME.repeat(40);
    let max = u64::MAX;
    let timeline =
        || Timeline { start: max - 5, step: max, requests: vec![max; 1_000], denied: vec![max; 3] };
    let worst = WorstClient {
        client: name(),
        requests: max,
        denied: max,
        peak: max,
        first_denied_at: max,
        last_denied_at: 0,
    };
    let policy = PolicyOutcome {
        quota: name(),
        algorithm: name(),
        key: name(),
        shadow: true,
        requests: 0,
        denied: max,
        clients: 0,
        clients_denied: max,
        clients_near: max,
        longest_closed_ms: max,
        longest_closed_client: Some(name()),
        denied_of_second: max,
        denied_of_tenth: max,
        denied_of_hundredth: max,
        denied_without_top_ten: max,
        worst: vec![worst; 20],
        timeline: timeline(),
    };
    let totals = Totals {
        requests: 1,
        admitted: max,
        denied: max,
        unlimited: max,
        allowed: max,
        blocked: max,
        banned: max,
        clients: 1,
        clients_denied: max,
        denied_without_top_ten: max,
    };
    let changed = ChangedClient { client: name(), requests: max, denied: max };
    let outcome = Outcome {
        config: vec![name(); 9],
        totals,
        policies: [(name(), policy.clone()), (String::new(), policy)].into(),
        timeline: timeline(),
    };
    let file = FileSummary { name: name(), format: name(), lines: max, cut_off: Some(name()) };
    let unparsed = UnparsedLine { file: name(), line: max, text: name(), reason: name() };
    Report {
        log: LogSummary {
            files: vec![file; 30],
            lines: max,
            unparsed: max,
            first_unparsed: vec![unparsed; 10],
            requests: max,
            first_at: Some(max),
            last_at: Some(0),
            time_step: max,
            with_duration: max,
            with_end: max,
            with_user: max,
            without_address: max,
            already_429: max,
            out_of_order: max,
        },
        interrupted: true,
        caveats: vec![name(); 3],
        candidate: outcome.clone(),
        current: Some(outcome),
        difference: Some(Difference {
            newly_denied: max,
            newly_admitted: max,
            clients_newly_denied: vec![changed.clone(); 50],
            clients_newly_admitted: vec![changed; 50],
            clients_newly_denied_count: max,
            clients_newly_admitted_count: 0,
        }),
    }
}
