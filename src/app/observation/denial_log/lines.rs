//! The lines about refusals, each as a sentence and as fields with stable names.

use std::fmt::Arguments;

use log::kv::Value;
use log::{Level, Log, Metadata, Record};

use super::denials::Denials;
use crate::domain::clock::Millis;
use crate::limiter::DecisionEvent;
use crate::store::Charge;

/// The target of all these lines, for `RUST_LOG`.
pub(super) const TARGET: &str = "tollgate::denials";

pub(super) fn is_enabled(sink: &dyn Log, level: Level) -> bool {
    sink.enabled(&Metadata::builder().target(TARGET).level(level).build())
}

/// A policy denied a request.
pub(super) fn denied(
    sink: &dyn Log,
    level: Level,
    event: &DecisionEvent<'_>,
    charge: &Charge,
    retry_after: Option<Millis>,
) {
    let (policy, key) = (charge.policy.name(), charge.key.hash_tag());
    let route = event.route.map(|route| route.pattern.to_string());
    let on = route.as_deref().map(|route| format!(" on {route}")).unwrap_or_default();
    let id = event.request_id.map(|id| format!(", request {id}")).unwrap_or_default();
    let retry = match retry_after {
        Some(wait) => format!("it may try again in {wait} ms"),
        None => "it costs more than the whole quota".to_owned(),
    };
    let door = event.door;
    let fields = [
        ("event", Value::from("denied")),
        ("policy", Value::from(policy)),
        ("key", Value::from(key)),
        ("retry_after_ms", retry_after.map_or_else(Value::null, Value::from)),
        ("route", route.as_deref().map_or_else(Value::null, Value::from)),
        ("door", Value::from(door)),
        ("request_id", event.request_id.map_or_else(Value::null, Value::from)),
    ];
    let text = format_args!("Policy {policy:?} denied {key}{on} (door {door}{id}): {retry}.");
    write(sink, level, &fields, text);
}

/// The penalty of a policy bans a client.
pub(super) fn ban_begins(sink: &dyn Log, level: Level, charge: &Charge, lasts: Millis) {
    let (policy, key) = (charge.policy.name(), charge.key.hash_tag());
    let fields = [
        ("event", Value::from("ban-begins")),
        ("policy", Value::from(policy)),
        ("key", Value::from(key)),
        ("ban_ms", Value::from(lasts)),
    ];
    let text = format_args!(
        "Policy {policy:?} bans {key} for {lasts} ms, because it denied so many of its requests."
    );
    write(sink, level, &fields, text);
}

/// What a policy denied in the last period.
pub(super) fn summary(sink: &dyn Log, policy: &str, denials: &Denials) {
    let Denials { requests, clients, is_partial, top, .. } = denials;
    let named: Vec<String> = top
        .iter()
        .map(|it| {
            let about = if it.error > 0 { "about " } else { "" };
            format!("{} ({about}{})", it.key.hash_tag(), it.count)
        })
        .collect();
    let named = match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    };
    let at_least = if *is_partial { "at least " } else { "" };
    let (requests_of, clients_of) = (plural(*requests, "request"), plural(*clients, "client"));
    let fields = [
        ("event", Value::from("denials")),
        ("policy", Value::from(policy)),
        ("requests", Value::from(*requests)),
        ("clients", Value::from(*clients)),
        ("top", Value::from(named.as_str())),
    ];
    let text = format_args!(
        "In the last minute, policy {policy:?} denied {requests_of} of {at_least}{clients_of}, most of them of \
         {named}."
    );
    write(sink, Level::Info, &fields, text);
}

/// What more policies denied, which have no line of their own.
pub(super) fn other_policies(sink: &dyn Log, policies: usize, requests: u64) {
    let fields = [("event", Value::from("other-denials")), ("requests", Value::from(requests))];
    let requests = plural(requests, "request");
    let text = format_args!("In the last minute, {policies} more policies denied {requests}.");
    write(sink, Level::Info, &fields, text);
}

/// How many requests the access lists refused.
pub(super) fn blocked(sink: &dyn Log, requests: u64) {
    refused(sink, "blocked", requests, |it| format!("the access lists refused {it}"));
}

/// How many requests were refused because their clients are banned.
pub(super) fn banned(sink: &dyn Log, requests: u64) {
    refused(sink, "banned", requests, |it| format!("bans refused {it}"));
}

/// How many requests were refused because the store failed.
pub(super) fn undecided(sink: &dyn Log, requests: u64) {
    refused(sink, "undecided", requests, |it| {
        format!("{it} could not be decided, and the policies refused them")
    });
}

/// What was refused for a reason other than a policy's denial, if anything was.
fn refused(sink: &dyn Log, event: &str, requests: u64, what: impl FnOnce(&str) -> String) {
    if requests > 0 {
        let fields = [("event", Value::from(event)), ("requests", Value::from(requests))];
        let what = what(&plural(requests, "request"));
        write(sink, Level::Info, &fields, format_args!("In the last minute, {what}."));
    }
}

fn plural(count: u64, name: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {name}{s}")
}

fn write(sink: &dyn Log, level: Level, fields: &[(&str, Value<'_>)], text: Arguments<'_>) {
    let mut record = Record::builder();
    record.level(level).target(TARGET).key_values(&fields);
    let record = record.args(text).build();
    if sink.enabled(record.metadata()) {
        sink.log(&record);
    }
}
