//! The page of options and `config.toml` say the same.

use std::collections::BTreeMap;

use super::page::Page;

/// What holds without an option that `config.toml` has in a comment. All others are none then.
const NOT_SET: [(&str, &str); 11] = [
    ("client_ip.header", "`x-forwarded-for`"),
    ("auth.api_key_header", "`Authorization: Bearer`"),
    ("descriptors.DOMAIN.\"PATTERN\".refuse", "false"),
    ("descriptors.DOMAIN.\"PATTERN\".uses_reserve", "false"),
    ("policies.NAME.burst", "the quota"),
    ("policies.NAME.ipv6_prefix", "`client_ip.ipv6_prefix`"),
    ("policies.NAME.week_begins", "`monday`"),
    ("policies.NAME.slot_ms", "none; 30000 beside `in_flight`"),
    ("policies.NAME.penalty.within_ms", "60000"),
    ("policies.NAME.penalty.ban_ms", "60000"),
    ("policies.NAME.penalty.ban_at_most_ms", "3600000, or `ban_ms` if that is more"),
];

/// The options of `config.toml` as the page calls them, with their values where they are set.
fn options() -> BTreeMap<String, Option<String>> {
    let text = include_str!("../../../config.toml");
    let mut table = String::new();
    let mut options = BTreeMap::new();
    for line in text.lines() {
        let (is_set, line) = line.strip_prefix("# ").map_or((true, line), |line| (false, line));
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.split(']').next()) {
            table = name.replace("policies.default", "policies.NAME");
            table = table.replace("\"/api/data\"", "\"PATTERN\"");
            if table.starts_with("descriptors.") {
                "descriptors.DOMAIN.\"PATTERN\"".clone_into(&mut table);
            }
            continue;
        }
        let Some((name, rest)) = line.split_once(" = ") else { continue };
        // The second route is there to show `peek`, and prose has more words than one.
        if table.contains("/api/status") || name.contains(' ') {
            continue;
        }
        let value = rest.split('#').next().unwrap_or_default().trim();
        let name = if name.len() == 64 { "SHA256" } else { name };
        let key = format!("{table}.{name}");
        let Some(inner) = value.strip_prefix("{ ").and_then(|it| it.strip_suffix(" }")) else {
            options.insert(key, is_set.then(|| value.to_owned()));
            continue;
        };
        for pair in inner.split(", ") {
            let inner = match name {
                "plans" => "PLAN",
                "users" => "\"ID\"",
                "networks" => "\"NETWORK\"",
                "headers" => "FIELD",
                _ => pair.split(" = ").next().unwrap_or_default(),
            };
            options.insert(format!("{key}.{inner}"), None);
        }
    }
    options
}

/// Whether a cell of the page says the value that is set, or that there is none.
fn says(cell: &str, value: &str) -> bool {
    match value.trim_matches(['[', ']']) {
        "" => cell == "none" || cell.starts_with("none; "),
        text if text.starts_with('"') => cell.contains(&text.replace('"', "`")),
        number => cell == number,
    }
}

#[test]
fn every_option_is_there_once_with_its_default() {
    let page = Page::named("docs/src/configuration.md");
    let rows = page.rows().into_iter();
    let option = |row: Vec<&str>| {
        let [name, default, _] = row[..] else { return None };
        let name = name.strip_prefix('`')?.strip_suffix('`')?;
        Some((name.to_owned(), default.to_owned()))
    };
    let mut documented: Vec<_> = rows.filter_map(option).collect();
    documented.sort();
    let options = options();
    let names: Vec<_> = documented.iter().map(|(name, _)| name).collect();
    assert_eq!(names, options.keys().collect::<Vec<_>>());

    let not_set = BTreeMap::from(NOT_SET);
    for (name, cell) in &documented {
        match &options[name] {
            Some(value) => assert!(says(cell, value), "{name}: {cell}, and not {value}"),
            None => assert_eq!(cell, not_set.get(&**name).unwrap_or(&"none"), "{name}"),
        }
    }
}
