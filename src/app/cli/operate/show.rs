//! What the process answered, for people.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

/// Where a client stands.
pub(super) fn standings(stands: &Value) -> String {
    let mut text = format!("{}\n", plain(&stands["key"]));
    let policies = stands["policies"].as_array().into_iter().flatten();
    for it in policies.clone() {
        let _ = write!(
            text,
            "  {}: {} from the {}: ",
            plain(&it["policy"]),
            quota(it),
            plain(&it["from"])
        );
        if let Some(error) = it["error"].as_str() {
            let _ = writeln!(text, "the store could not be asked ({error})");
            continue;
        }
        let _ = write!(text, "{}", used(it));
        if !it["banned_for_ms"].is_null() {
            let _ = write!(text, "; banned by its penalty for {}", seconds(&it["banned_for_ms"]));
        }
        text.push('\n');
    }
    if policies.count() == 0 {
        text.push_str("  No policy counts by such a key.\n");
    }
    for it in stands["overrides"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "  {}", listed(it));
    }
    text
}

/// What would happen to a request, and why.
pub(super) fn explanation(it: &Value) -> String {
    let request = &it["request"];
    let mut text = format!("{} {}", plain(&request["method"]), plain(&request["path"]));
    for (before, name) in [(" of ip ", "ip"), (" of user ", "user"), (" on plan ", "plan")] {
        if let Some(value) = request[name].as_str() {
            let _ = write!(text, "{before}{}", value.replace(char::is_control, " "));
        }
    }
    if request["plan_from"] == "auth.keys" {
        text.push_str(" (by the user's API keys)");
    }
    let _ = writeln!(text, ", by generation {} of the configuration:", it["generation"]);
    let _ = writeln!(text, "{}: {}", plain(&it["verdict"]), plain(&it["why"]));
    let route = &it["route"];
    if !route.is_null() {
        let _ = write!(text, "route {} ({})", plain(&route["pattern"]), plain(&route["place"]));
        let _ = writeln!(text, ", cost {} ({})", route["cost"], plain(&route["cost_place"]));
    }
    let is_unknown = it["verdict"] == "unknown";
    for met in it["policies"].as_array().into_iter().flatten() {
        let _ = write!(
            text,
            "policy {}: {} from the {} ({}) for {}",
            plain(&met["policy"]),
            quota(met),
            plain(&met["from"]),
            plain(&met["place"]),
            plain(&met["key"]),
        );
        text += &origins(&met["key_from"]);
        if !met["used"].is_null() {
            let _ = write!(text, ": {}", used(met));
        } else if is_unknown {
            let _ = write!(text, ": {}", without_store(plain(&met["on_store_failure"]).as_str()));
        }
        if met["kept_slots"].as_u64().is_some_and(|kept| kept > 0) {
            let _ = write!(text, ", and {} more in reserve for other requests", met["kept_slots"]);
        }
        if met["lease_ms"].as_u64().is_some_and(|lease| lease > 0) {
            let _ = write!(text, ", leased for {} ms at a time", met["lease_ms"]);
        }
        if met["why"].is_string() {
            let _ = write!(text, ". {}", plain(&met["why"]));
        }
        for (option, what) in [
            ("charge_on", "It counts only if the status of its response is one of"),
            ("refund_on", "It is given back if the status of its response is one of"),
        ] {
            if met[option].is_string() {
                let _ = write!(text, ". {what} {}", plain(&met[option]));
            }
        }
        text.push('\n');
    }
    for unmet in it["unmet"].as_array().into_iter().flatten() {
        let _ =
            writeln!(text, "unmet policy {}: {}", plain(&unmet["policy"]), plain(&unmet["why"]));
    }
    if let Some(why) = it["outdated"].as_str() {
        let _ = writeln!(text, "The overrides could not be read again ({why}).");
    }
    for overridden in it["overrides"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "{}", listed(overridden));
    }
    text
}

/// Where the parts of a key come from, unless its text says so at a glance.
fn origins(of: &Value) -> String {
    let of: Vec<_> = of.as_array().into_iter().flatten().map(plain).collect();
    match &of[..] {
        [one] if !one.contains("field") && !one.contains("path") => String::new(),
        parts => format!(", by {}", parts.join(" and ")),
    }
}

/// What a policy does with requests while the store cannot be asked.
fn without_store(rule: &str) -> &'static str {
    match rule {
        "allow" => "it admits until the store answers",
        "deny" => "it refuses until the store answers",
        _ => "it is counted in this process until the store answers",
    }
}

/// A quota, and where its window ends by the calendar.
fn quota(it: &Value) -> String {
    match it["timezone"].as_str() {
        Some(zone) => format!("{} in {}", plain(&it["quota"]), plain(&zone.into())),
        None => plain(&it["quota"]).to_string(),
    }
}

/// What is used of a quota, and what is left.
fn used(it: &Value) -> String {
    let mut text = format!("{} used, {} left", it["used"], it["remaining"]);
    if it["reset_after_ms"] != 0 {
        let _ = write!(text, ", whole again in {}", seconds(&it["reset_after_ms"]));
    }
    if !it["retry_after_ms"].is_null() {
        let _ = write!(text, "; denied for {}", seconds(&it["retry_after_ms"]));
    }
    text
}

/// Where a client stood before a reset.
pub(super) fn reset(before: &Value) -> String {
    format!("The quotas are whole again. Before:\n{}", standings(before))
}

/// Whether the process serves.
pub(super) fn health(_: &Value) -> String {
    "The process serves.\n".to_owned()
}

/// What held before a change, and what holds now.
pub(super) fn changed(changed: &Value) -> String {
    let told = |it: &Value| if it.is_null() { "nothing".to_owned() } else { listed(it) };
    let mut text =
        format!("Now: {}\nBefore: {}\n", told(&changed["after"]), told(&changed["before"]));
    for policy in changed["penalties"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "Ended a ban by the penalty of {}.", plain(policy));
    }
    for warning in changed["warnings"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "{}", plain(warning));
    }
    text
}

/// Which clients are refused most, or are busiest.
pub(super) fn top(top: &Value) -> String {
    let keys = top["keys"].as_array().map_or(&[][..], Vec::as_slice);
    let [from, to] = [0, 1].map(|it| top["window_seconds"][it].as_u64().unwrap_or_default() / 60);
    if keys.is_empty() {
        let what =
            if top["by"] == "refused" { "No request was refused" } else { "No request came" };
        return format!("{what} in the last {from} to {to} minutes.\n");
    }
    let is_by_refusals = top["by"] == "refused";
    let what = if is_by_refusals { "refused" } else { "requests" };
    let mut text = format!("{what:>10}  client, policy, in the last {from} to {to} minutes\n");
    for it in keys {
        let about = if it["error"] == 0 { "" } else { "~" };
        let count = format!("{about}{}", it["count"]);
        let _ = write!(text, "{count:>10}  {} under {}", plain(&it["key"]), plain(&it["policy"]));
        if let Some(since) = it["refused_for_seconds"].as_u64() {
            let since = humantime::format_duration(Duration::from_secs(since));
            let refused =
                if is_by_refusals { String::new() } else { format!("{} ", it["refused"]) };
            let _ = write!(text, " ({refused}refused, since {since} ago)");
        }
        text.push('\n');
    }
    text
}

/// All overrides.
pub(super) fn list(all: &Value) -> String {
    let mut text = String::new();
    if let Some(why) = all["outdated"].as_str() {
        let _ = writeln!(text, "The store could not be asked ({why}). This was read last:");
    }
    let overrides = all["overrides"].as_array().map_or(&[][..], Vec::as_slice);
    for it in overrides {
        let _ = writeln!(text, "{}", listed(it));
    }
    if overrides.is_empty() {
        text.push_str("No client is banned or boosted, and no policy is switched off.\n");
    }
    text
}

/// What operators changed.
pub(super) fn audit(lines: &Value) -> String {
    let lines = lines.as_array().map_or(&[][..], Vec::as_slice);
    let line = |it: &Value| {
        let at = UNIX_EPOCH + Duration::from_millis(it["at"].as_u64().unwrap_or_default());
        let why = plain(&it["why"]);
        let why = if why.is_empty() { why } else { format!(" ({why})") };
        format!(
            "{} {} {} by {}: {} -> {}{why}\n",
            humantime::format_rfc3339_seconds(at),
            plain(&it["action"]),
            plain(&it["subject"]),
            plain(&it["by"]),
            plain(&it["before"]),
            plain(&it["after"]),
        )
    };
    if lines.is_empty() {
        return "Nothing was changed in the last 30 days.\n".to_owned();
    }
    lines.iter().map(line).collect()
}

/// How a reload ended.
pub(super) fn reload(report: &Value) -> String {
    if report["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
        return format!("Generation {} stays in force.\n", report["generation"]);
    }
    let mut text = format!("Generation {} is in force.\n", report["generation"]);
    for it in report["changes"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "{}: {}", plain(&it["option"]), plain(&it["takes_effect"]));
    }
    text
}

fn listed(it: &Value) -> String {
    let what = match (it["key"].as_str(), it["policy"].as_str()) {
        (Some(key), Some(policy)) => format!("{key} under {policy}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    };
    let quota = it["quota"].as_str().map_or(String::new(), |quota| format!(" to {quota}"));
    let why = plain(&it["why"]);
    let why = if why.is_empty() { why } else { format!(": {why}") };
    let for_seconds = seconds(&it["ends_after_ms"]);
    format!(
        "{} {what}{quota} for {for_seconds} (by {}{why})",
        plain(&it["effect"]),
        plain(&it["by"])
    )
}

/// Milliseconds as whole seconds, rounded up.
fn seconds(millis: &Value) -> String {
    let millis = millis.as_u64().unwrap_or_default();
    humantime::format_duration(Duration::from_secs(millis.div_ceil(1_000))).to_string()
}

/// A text without what could move the cursor of a terminal.
fn plain(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace(char::is_control, " ")
}
