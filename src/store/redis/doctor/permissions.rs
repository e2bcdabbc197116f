//! What the user of a server may do.

use redis::{Cmd, Value};

use super::examiner::Examiner;
use crate::store::redis::error::{is_about_a_key, store_error};
use crate::store::redis::health::cause::Cause;
use crate::store::redis::script;
use crate::store::{Key, Keyspace};

/// Stands for the key in a command.
const KEY: &str = "<key>";

/// Calls that count, each with the rule of an ACL that permits it.
const OF_COUNTS: [(&str, &[&str]); 13] = [
    ("+evalsha", &["EVALSHA", "", "0"]),
    ("+eval", &["EVAL", "return 1", "0"]),
    ("+script|load", &["SCRIPT", "LOAD", "return 1"]),
    ("+time", &["TIME"]),
    ("+get", &["GET", KEY]),
    ("+set", &["SET", KEY, "", "PX", "1000"]),
    ("+incrby", &["INCRBY", KEY, "0"]),
    ("+getrange", &["GETRANGE", KEY, "0", "0"]),
    ("+setrange", &["SETRANGE", KEY, "0", "0"]),
    ("+strlen", &["STRLEN", KEY]),
    ("+append", &["APPEND", KEY, "0"]),
    ("+del", &["DEL", KEY]),
    ("+unlink", &["UNLINK", KEY]),
];

/// Calls for the slots of requests under way.
const OF_SLOTS: [(&str, &[&str]); 7] = [
    ("+zadd", &["ZADD", KEY, "1", "0"]),
    ("+pexpire", &["PEXPIRE", KEY, "1000"]),
    ("+zcount", &["ZCOUNT", KEY, "0", "0"]),
    ("+zscore", &["ZSCORE", KEY, "0"]),
    ("+zrangebyscore", &["ZRANGEBYSCORE", KEY, "0", "0"]),
    ("+zremrangebyscore", &["ZREMRANGEBYSCORE", KEY, "0", "0"]),
    ("+zrem", &["ZREM", KEY, "0"]),
];

/// A harmless call of every command that counting needs, and of those for slots if requests hold any, each with the
/// rule of an ACL that permits it. Calls that write only touch `key`, and leave nothing there.
pub(super) fn commands(key: &Key, holds_slots: bool) -> Vec<(&'static str, Cmd)> {
    let of_slots: &[_] = if holds_slots { &OF_SLOTS } else { &[] };
    let call = |(rule, words): &(&'static str, &[&str])| {
        let mut call = Cmd::new();
        for word in *words {
            call.arg(if *word == KEY { key.as_str() } else { word });
        }
        (*rule, call)
    };
    OF_COUNTS.iter().chain(of_slots).map(call).collect()
}

/// The name of the command that `rule` permits.
fn name_of(rule: &str) -> String {
    rule.trim_start_matches('+').replace('|', " ").to_uppercase()
}

impl Examiner<'_> {
    /// Tries each command on a key of the examiner's own: an error of a script would not say which
    /// command is refused.
    pub(super) fn permissions(&mut self, holds_slots: bool) {
        let key = Keyspace::new(&self.key_prefix).examination();
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        let more = std::mem::take(&mut self.subject.more_commands);
        let calls = commands(&key, holds_slots);
        for (rule, command) in calls.into_iter().chain(more) {
            let Err(error) = self.ask::<Value>(&command).map_err(store_error) else { continue };
            match Cause::of(&error) {
                // Another question finds out which keys the user may touch.
                Cause::Permission if !is_about_a_key(&error) => missing.push(rule),
                Cause::Command => unknown.push(name_of(rule)),
                _ => {}
            }
        }
        if !unknown.is_empty() {
            let text = format!(
                "it does not know {}: see rename-command in its configuration",
                unknown.join(", ")
            );
            self.findings.fail("commands", text);
        }
        if missing.is_empty() {
            self.findings.ok("permissions", "its user may run every command that counting needs");
        } else {
            self.findings.fail(
                "permissions",
                format!(
                    "its user needs {}, on keys {}:*",
                    missing.join(" "),
                    self.options.key_prefix
                ),
            );
        }
    }

    /// Finds out whether scripts may call `TIME`.
    pub(super) fn time(&mut self) {
        let is_refused = self.connection.run(|wire| script::is_time_refused(wire));
        if is_refused.unwrap_or(false) {
            let (description, remedy) = (Cause::Time.description(), Cause::Time.remedy());
            self.findings.fail("time", format!("{description}. {remedy}"));
        } else {
            self.findings.ok("time", "scripts may call TIME");
        }
    }
}
