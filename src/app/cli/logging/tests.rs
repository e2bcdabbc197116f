use std::mem::take;

use log::LevelFilter;

use super::*;
use crate::domain::clock::ManualClock;

/// Keeps what it is given, of `max` and above; of the target `asked` everything.
#[derive(Debug)]
struct Kept {
    max: LevelFilter,
    lines: Mutex<Vec<String>>,
}

impl Log for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.max || metadata.target() == "asked"
    }

    fn log(&self, record: &Record<'_>) {
        self.lines.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }

    fn flush(&self) {}
}

type Logger = Throttled<Kept, ManualClock>;

fn logger(max: LevelFilter) -> Logger {
    Throttled::new(Kept { max, lines: Mutex::default() }, ManualClock::new(1_000_000))
}

impl Logger {
    /// Logs `text` from line `line` of `target`, as an error.
    fn say(&self, target: &str, line: u32, text: &str) {
        let mut record = Record::builder();
        record.level(Level::Error).target(target).line(Some(line));
        self.log(&record.args(format_args!("{text}")).build());
    }

    /// What was written since this was asked last.
    fn written(&self) -> Vec<String> {
        take(&mut *self.inner.lines.lock().unwrap())
    }

    /// What is written when `length` has passed.
    fn after(&self, length: Millis) -> Vec<String> {
        self.clock.advance(length);
        self.write_counts(PAUSE);
        self.written()
    }
}

#[test]
fn the_first_record_of_a_source_is_written_and_the_others_are_counted() {
    let logger = logger(LevelFilter::Warn);
    for _ in 0..1_000 {
        logger.say("http", 7, "a \"bad\" line");
    }
    assert_eq!(logger.written(), ["ERROR http: a \"bad\" line"]);
    assert_eq!(logger.after(PAUSE - 1), [""; 0]);
    assert_eq!(logger.after(1), [r#"ERROR http: 999 more like "a \"bad\" line""#]);
}

#[test]
fn a_source_that_goes_on_has_one_line_a_minute() {
    let logger = logger(LevelFilter::Warn);
    let mut lines = 0;
    // Ten a second, for ten minutes; it is looked over every five seconds.
    for tenth in 0..6_000 {
        logger.say("http", 7, "bad");
        lines += logger.written().len();
        logger.clock.advance(100);
        if tenth % 50 == 49 {
            lines += logger.after(0).len();
        }
    }
    assert_eq!(lines, 11, "one at once, and one at the end of each minute");
}

#[test]
fn a_source_that_was_silent_is_a_new_one() {
    let logger = logger(LevelFilter::Warn);
    logger.say("http", 7, "one");
    assert_eq!(logger.written(), ["ERROR http: one"]);
    assert_eq!(logger.after(PAUSE), [""; 0]);
    assert!(logger.call_sites().is_empty());
    logger.say("http", 7, "two");
    logger.say("http", 7, "three");
    assert_eq!(logger.written(), ["ERROR http: two"]);
    assert_eq!(logger.after(PAUSE), ["ERROR http: 1 more like \"two\""]);
    assert_eq!(logger.after(PAUSE), [""; 0]);
    logger.say("http", 7, "four");
    assert_eq!(logger.written(), ["ERROR http: four"]);
}

#[test]
fn sources_are_told_apart_by_target_and_line() {
    let logger = logger(LevelFilter::Warn);
    for (target, line) in [("http", 7), ("http", 8), ("server", 7), ("http", 7)] {
        logger.say(target, line, "bad");
    }
    assert_eq!(logger.written(), ["ERROR http: bad", "ERROR http: bad", "ERROR server: bad"]);
}

#[test]
fn our_own_records_all_pass_as_they_are() {
    let logger = logger(LevelFilter::Warn);
    for target in ["tollgate", "tollgate::store", "tollgate"] {
        logger.say(target, 1, "ours");
    }
    assert_eq!(logger.written(), ["ERROR ours"; 3]);
    logger.say("tollgates", 1, "another's");
    logger.say("tollgates", 1, "another's");
    assert_eq!(logger.written(), ["ERROR tollgates: another's"]);
}

#[test]
fn who_asks_for_debug_sees_everything() {
    let all = logger(LevelFilter::Debug);
    all.say("http", 7, "bad");
    all.say("http", 7, "bad");
    assert_eq!(all.written(), ["ERROR bad"; 2]);

    let of_one_target = logger(LevelFilter::Warn);
    for target in ["asked", "http"] {
        of_one_target.say(target, 7, "bad");
        of_one_target.say(target, 7, "bad");
    }
    assert_eq!(of_one_target.written(), ["ERROR bad", "ERROR bad", "ERROR http: bad"]);
    // `info` is what many run with at all times.
    let usual = logger(LevelFilter::Info);
    usual.say("http", 7, "bad");
    usual.say("http", 7, "bad");
    assert_eq!(usual.written(), ["ERROR http: bad"]);
}

#[test]
fn what_is_off_is_neither_written_nor_counted() {
    let logger = logger(LevelFilter::Off);
    logger.say("http", 7, "bad");
    logger.say("http", 7, "bad");
    logger.flush();
    assert_eq!(logger.written(), [""; 0]);
}

#[test]
fn at_the_end_all_counts_are_written() {
    let logger = logger(LevelFilter::Warn);
    for line in [7, 7, 7, 8] {
        logger.say("http", line, "bad");
    }
    logger.written();
    logger.flush();
    assert_eq!(logger.written(), ["ERROR http: 2 more like \"bad\""]);
}
