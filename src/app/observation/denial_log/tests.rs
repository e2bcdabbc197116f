use std::sync::Arc;

use log::kv::{Key, VisitSource};
use log::{Metadata, Record};

use super::*;
use crate::app::observation::refusals::tests::{Counting, blocked};
use crate::domain::clock::{ManualClock, Millis};

/// A line: its level, its text, and its fields by name.
type Line = (Level, String, Vec<(String, String)>);

/// Keeps the lines that are written to it, up to a level.
#[derive(Debug)]
struct Lines {
    most: Level,
    lines: Mutex<Vec<Line>>,
}

/// Collects fields as texts.
struct Fields(Vec<(String, String)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(
        &mut self,
        key: Key<'kvs>,
        value: log::kv::Value<'kvs>,
    ) -> Result<(), log::kv::Error> {
        self.0.push((key.to_string(), value.to_string()));
        Ok(())
    }
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.most && metadata.target() == "tollgate::denials"
    }

    fn log(&self, record: &Record<'_>) {
        let mut fields = Fields(Vec::new());
        record.key_values().visit(&mut fields).unwrap();
        self.lines.lock().unwrap().push((record.level(), record.args().to_string(), fields.0));
    }

    fn flush(&self) {}
}

/// A denial log that writes lines up to a level, with a clock.
fn denial_log(most: Level) -> (DenialLog, &'static Lines, Arc<ManualClock>) {
    let lines: &_ = Box::leak(Box::new(Lines { most, lines: Mutex::default() }));
    let clock = Arc::new(ManualClock::new(0));
    (DenialLog::new(lines, clock.clone()), lines, clock)
}

impl Lines {
    /// The lines since the last call, each with its level.
    fn take(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines.into_iter().map(|(level, text, _)| format!("{level} {text}")).collect()
    }
}

#[test]
fn a_ban_that_begins_is_a_line_and_its_requests_are_summed_up() {
    let (log, lines, _) = denial_log(Level::Info);
    let api = Counting::under("api");
    for begins in [true, false, false] {
        log.on_decision(&api.bans("ann").ban(60_000, begins));
    }
    let first = "INFO Policy \"api\" bans user:ann for 60000 ms, because it denied so many of its requests.";
    assert_eq!(lines.take(), [first]);
    log.end_period();
    assert_eq!(lines.take(), ["INFO In the last minute, bans refused 3 requests."]);
}

#[test]
fn the_first_denial_of_a_client_is_a_line_and_the_others_are_summed_up() {
    let (log, lines, clock) = denial_log(Level::Info);
    let api = Counting::under("api");
    for user in ["ann", "bob", "ann", "ann"] {
        log.on_decision(&api.denies(user).event());
        log.on_decision(&api.admits(user).event());
    }
    let first = |user| {
        format!(
            "INFO Policy \"api\" denied user:{user} (door actix): it may try again in 12345 ms."
        )
    };
    assert_eq!(lines.take(), [first("ann"), first("bob")]);
    clock.advance(PERIOD - 1);
    log.end_period_if_over();
    assert_eq!(lines.take(), [""; 0]);
    clock.advance(1);
    log.end_period_if_over();
    assert_eq!(
        lines.take(),
        [
            "INFO In the last minute, policy \"api\" denied 4 requests of 2 clients, most of them of \
          user:ann (3) and user:bob (1)."
        ]
    );
}

#[test]
fn a_client_that_goes_on_is_no_first_one_again_until_it_paused_for_a_minute() {
    let (log, lines, clock) = denial_log(Level::Info);
    let api = Counting::under("api");
    let lines_after = |pause: Millis| {
        clock.advance(pause);
        log.end_period_if_over();
        log.on_decision(&api.denies("ann").event());
        lines.take().len()
    };
    assert_eq!(lines_after(0), 1);
    // It has had its line in that period, so there is no summary.
    assert_eq!(lines_after(PERIOD - 1), 0);
    // The summary of two denials, and nothing else.
    assert_eq!(lines_after(1), 1);
    assert_eq!(lines_after(PERIOD / 2), 0);
    assert_eq!(lines_after(PERIOD / 2), 1);
    assert_eq!(lines_after(PERIOD), 2);
}

#[test]
fn where_each_denial_had_its_line_there_is_no_summary() {
    let (log, lines, _) = denial_log(Level::Info);
    log.on_decision(&Counting::under("api").denies("ann").event());
    assert_eq!(lines.take().len(), 1);
    log.end_period();
    assert_eq!(lines.take(), [""; 0]);
}

#[test]
fn a_flood_of_a_million_denials_is_a_few_lines_and_bounded_memory() {
    let (log, lines, clock) = denial_log(Level::Info);
    let policies: Vec<Counting> =
        (0..40).map(|number| Counting::under(&format!("p{number}"))).collect();
    for number in 0..1_000_000_usize {
        // Each policy denies another hundred thousand clients.
        let policy = &policies[number % policies.len()];
        log.on_decision(&policy.denies(&(number / 10).to_string()).event());
    }
    assert_eq!(lines.take().len(), FIRST_LINES as usize);
    let known: usize = log.shards.iter().map(|shard| lock(shard).known()).sum();
    assert!(known <= denials::KNOWN, "{known}");
    clock.advance(PERIOD);
    log.end_period_if_over();
    let summary = lines.take();
    assert_eq!(summary.len(), SUMMARY_LINES + 1);
    assert!(summary[0].contains("denied 25000 requests of at least "), "{}", summary[0]);
    let rest = "INFO In the last minute, 20 more policies denied 500000 requests.";
    assert_eq!(summary[SUMMARY_LINES], rest);
    // All are forgotten, since the minute is over.
    let known: usize = log.shards.iter().map(|shard| lock(shard).known()).sum();
    assert_eq!(known, 0);
}

#[test]
fn at_debug_each_denial_is_a_line() {
    let (log, lines, _) = denial_log(Level::Debug);
    let api = Counting::under("api");
    for _ in 0..100 {
        log.on_decision(&api.denies("ann").event());
    }
    let lines = lines.take();
    assert_eq!(lines.len(), 100);
    assert!(lines[0].starts_with("INFO ") && lines[1].starts_with("DEBUG "), "{lines:?}");
}

#[test]
fn at_warn_there_is_no_line() {
    let (log, lines, _) = denial_log(Level::Warn);
    log.on_decision(&Counting::under("api").denies("ann").event());
    log.on_decision(&Counting::under("api").denies("ann").event());
    log.on_decision(&blocked());
    log.end_period();
    assert_eq!(lines.take(), [""; 0]);
}

#[test]
fn blocked_and_undecided_requests_are_summed_up() {
    let (log, lines, _) = denial_log(Level::Info);
    let api = Counting::under("api");
    for _ in 0..2 {
        log.on_decision(&blocked());
    }
    log.on_decision(&api.cannot_decide("ann").event());
    assert_eq!(lines.take(), [""; 0]);
    log.end_period();
    assert_eq!(
        lines.take(),
        [
            "INFO In the last minute, the access lists refused 2 requests.",
            "INFO In the last minute, 1 request could not be decided, and the policies refused them.",
        ]
    );
    log.end_period();
    assert_eq!(lines.take(), [""; 0]);
}

#[test]
fn the_names_of_fields_are_stable() {
    let (log, lines, _) = denial_log(Level::Info);
    let api = Counting::under("api");
    let denied = api.denies("ann");
    log.on_decision(&DecisionEvent { request_id: Some("8f2c"), ..denied.event() });
    log.on_decision(&denied.event());
    log.end_period();
    let lines = lines.lines.lock().unwrap();
    let fields = |number: usize| -> Vec<(&str, &str)> {
        lines[number].2.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    };
    let expected = [
        ("event", "denied"),
        ("policy", "api"),
        ("key", "user:ann"),
        ("retry_after_ms", "12345"),
        ("route", "None"),
        ("door", "actix"),
        ("request_id", "8f2c"),
    ];
    assert_eq!(fields(0), expected);
    let expected = [
        ("event", "denials"),
        ("policy", "api"),
        ("requests", "2"),
        ("clients", "1"),
        ("top", "user:ann (2)"),
    ];
    assert_eq!(fields(1), expected);
}

#[test]
fn nobody_writes_lines_of_their_own_by_a_key() {
    let (log, lines, _) = denial_log(Level::Info);
    let forged = "ann\n[2026-01-01T00:00:00Z ERROR] forged\u{1b}[31m\u{2028}";
    log.on_decision(&Counting::under("api").denies(forged).event());
    log.on_decision(&Counting::under("api").denies(forged).event());
    log.end_period();
    for line in lines.take() {
        assert!(line.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{line:?}");
    }
}

#[test]
fn users_that_are_hashed_in_the_store_are_hashed_here() {
    let (log, lines, _) = denial_log(Level::Debug);
    let api = Counting::under("api").hashing_users();
    for _ in 0..3 {
        log.on_decision(&api.denies("secret-name").event());
    }
    log.end_period();
    let lines = lines.take();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|it| !it.contains("secret-name") && it.contains("user:#")));
}
