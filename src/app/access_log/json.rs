//! Reads lines of JSON: of Caddy, of Traefik, and with fields of any name.

use std::time::Duration;

use self::leaves::{Leaf, each_leaf};
use self::rules::Rules;
use super::address;
use super::draft::{Draft, Moment, origin_form};
use super::field_path::FieldPath;
use super::number::{self, Unit};
use super::role::Role;
use super::times::Times;

mod leaves;
mod rules;

pub(super) use self::rules::Schema;

/// The number of kinds of values of which the best is taken.
const KINDS: usize = 8;

/// Reads lines of JSON.
#[derive(Debug)]
pub(super) struct Json {
    rules: Rules,
    times: Times,
    /// The path of the value that is read, kept for its memory.
    path: String,
    request_line: Vec<u8>,
}

/// A line that is being read. A value may be in several fields, of which the one that is named first in the rules
/// is taken.
struct Reading<'a> {
    rules: &'a Rules,
    times: &'a mut Times,
    draft: &'a mut Draft,
    request_line: &'a mut Vec<u8>,
    /// The places of the rules by which values were taken.
    taken: [Option<usize>; KINDS],
}

impl Json {
    pub(super) fn new(schema: Schema, fields: &[FieldPath]) -> Self {
        Self {
            rules: Rules::new(schema, fields),
            times: Times::default(),
            path: String::new(),
            request_line: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, line: &[u8], draft: &mut Draft) -> Result<(), &'static str> {
        self.path.clear();
        self.request_line.clear();
        let mut reading = Reading {
            rules: &self.rules,
            times: &mut self.times,
            draft,
            request_line: &mut self.request_line,
            taken: [None; KINDS],
        };
        each_leaf(line, &mut self.path, &mut |path, leaf| reading.take(path, leaf))
            .map_err(|_| "it is not JSON")?;
        if !draft.has_target() && !draft.has_method() && !self.request_line.is_empty() {
            draft.request_line(&self.request_line);
        }
        if !draft.has_time() {
            return Err("it has no time in a field that is known");
        }
        // Servers write about other things, too.
        if !draft.has_target() && !draft.has_method() && !draft.has_peer() {
            return Err("it has neither a path nor an address in a field that is known");
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn take(&mut self, path: &str, leaf: Leaf<'_>) {
        let Some((rank, role)) = self.rules.find(path) else {
            if let (Some(name), Leaf::Text(text)) = (self.rules.field_name(path), leaf) {
                // The text has no escapes any more.
                self.draft.plain_field(name.as_bytes(), text.as_bytes());
            }
            return;
        };
        let kind = kind(role);
        if kind.is_some_and(|kind| self.taken[kind].is_some_and(|taken| taken < rank)) {
            return;
        }
        if self.apply(role, leaf).is_some()
            && let Some(kind) = kind
        {
            self.taken[kind] = Some(rank);
        }
    }

    /// Takes a value; `None` if it is none of its kind.
    fn apply(&mut self, role: &Role, leaf: Leaf<'_>) -> Option<()> {
        match role {
            Role::Time(moment) => {
                let at = match leaf {
                    Leaf::Text(text) => self.times.any(text.as_bytes())?,
                    Leaf::Integer(number) => number::epoch(Duration::from_secs(number))?,
                    Leaf::Float(number) => number::epoch(number::float(number)?)?,
                };
                self.draft.time(at, *moment);
            }
            Role::Duration(unit) => self.draft.duration(length(leaf, *unit)?),
            Role::Status => match leaf {
                Leaf::Text(text) => self.draft.status(text.as_bytes()),
                Leaf::Integer(number) => self.draft.status(number.to_string().as_bytes()),
                Leaf::Float(_) => return None,
            },
            Role::Client => {
                let Leaf::Text(text) = leaf else { return None };
                address::read_last(text.as_bytes())?;
                self.draft.client(text.as_bytes());
            }
            Role::User => match leaf {
                Leaf::Text("" | "-") => return None,
                Leaf::Text(text) => self.draft.plain_user(text.as_bytes()),
                Leaf::Integer(number) => self.draft.plain_user(number.to_string().as_bytes()),
                Leaf::Float(_) => return None,
            },
            Role::Method => self.draft.plain_method(leaf.text()?),
            Role::Target => self.draft.plain_target(origin_form(leaf.text()?)),
            Role::RequestLine => {
                self.request_line.clear();
                self.request_line.extend_from_slice(leaf.text()?);
            }
            Role::Field(name) => self.draft.plain_field(name.as_bytes(), leaf.text()?),
            Role::Other | Role::Part(_) | Role::Path | Role::Query => return None,
        }
        Some(())
    }
}

/// The place of what is known of a role; `None` for those that may be there more than once.
fn kind(role: &Role) -> Option<usize> {
    match role {
        Role::Time(Moment::Start | Moment::End) => Some(0),
        Role::Client => Some(1),
        Role::User => Some(2),
        Role::Method => Some(3),
        Role::Target => Some(4),
        Role::RequestLine => Some(5),
        Role::Status => Some(6),
        Role::Duration(_) => Some(7),
        _ => None,
    }
}

fn length(leaf: Leaf<'_>, unit: Unit) -> Option<Duration> {
    match leaf {
        Leaf::Text(text) => number::length(text.as_bytes(), unit),
        Leaf::Integer(number) => Some(Duration::from_secs(number) / unit.per_second()),
        Leaf::Float(number) => number::float(number / f64::from(unit.per_second())),
    }
}

#[cfg(test)]
mod tests;
