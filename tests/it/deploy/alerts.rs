//! deploy/prometheus/alerts.yml, and the page about it.

use std::collections::{BTreeMap, BTreeSet};

use super::promql::{groups, selectors, unknown};
use super::served::samples;
use super::{path, read};

/// The page that lists the alerts.
const PAGE: &str = "docs/src/alerts.md";

/// A rule, as it stands in the file.
struct Alert {
    name: String,
    expression: String,
    severity: String,
    /// The other keys, by their names.
    texts: BTreeMap<String, String>,
}

/// The rules. `promtool` checks that the file is YAML and holds nothing else.
fn alerts() -> Vec<Alert> {
    let file = read("deploy/prometheus/alerts.yml");
    let rules = file.split("- alert: ").skip(1);
    let alerts: Vec<Alert> = rules.map(alert).collect();
    assert!(!alerts.is_empty());
    alerts
}

fn alert(rule: &str) -> Alert {
    let (name, body) = rule.split_once('\n').expect("a body");
    let (_, expression) = body.split_once("expr: ").expect("an expression");
    let end = ["\n        for:", "\n        labels:"];
    let end = end.iter().filter_map(|it| expression.find(it)).min().expect("a key");
    let key = |line: &str| {
        let (key, text) = line.trim().split_once(": ")?;
        Some((key.to_owned(), text.trim_matches('"').to_owned()))
    };
    let mut texts: BTreeMap<String, String> = body.lines().filter_map(key).collect();
    let severity = texts.remove("severity").expect("a severity");
    Alert { name: name.to_owned(), expression: expression[..end].to_owned(), severity, texts }
}

#[test]
fn every_alert_asks_for_what_is_served() {
    for Alert { name, expression, .. } in alerts() {
        assert!(!selectors(&expression).is_empty(), "{name}");
        assert_eq!(unknown(&expression, samples()), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn every_alert_says_what_is_wrong_and_what_to_do() {
    for Alert { name, expression, severity, texts } in alerts() {
        assert!(["critical", "warning", "info"].contains(&severity.as_str()), "{name}: {severity}");
        for key in ["summary", "description"] {
            let text = texts.get(key).unwrap_or_else(|| panic!("{key} of {name}"));
            assert!(text.ends_with(['.', '?']), "{name}: {text}");
            for label in text.split("$labels.").skip(1) {
                let label = label.split(' ').next().expect("a label");
                let groups = groups(&expression);
                let is_kept = if groups.is_empty() || name == "TollgateDown" {
                    label == "instance" || is_label(&expression, label)
                } else {
                    groups.contains(&label)
                };
                assert!(is_kept, "{label} of {name}");
            }
        }
        let place = texts.get("docs").unwrap_or_else(|| panic!("docs of {name}"));
        let (page, heading) = place.split_once('#').expect("a heading");
        assert!(path(page).is_file(), "{name}: {page}");
        assert!(headings(&read(page)).contains(heading), "{name}: {place}");
    }
}

/// Whether each metric of the expression has the label.
fn is_label(expression: &str, label: &str) -> bool {
    let selectors = selectors(expression);
    selectors.iter().all(|it| samples()[it.metric].iter().all(|it| it.contains_key(label)))
}

/// The fragments of the headings of a page, as the book names them.
fn headings(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let fragment = |heading: &str| {
        let words = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.replace(|sign: char| !(sign.is_alphanumeric() || "-_".contains(sign)), "")
    };
    headings.map(fragment).collect()
}

#[test]
fn the_page_lists_every_alert_with_its_severity() {
    let page = read(PAGE);
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `Tollgate"));
    let listed: BTreeSet<(String, String)> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            let name = cells.next().expect("a name").trim_end_matches('`');
            (format!("Tollgate{name}"), cells.next().expect("a severity").to_owned())
        })
        .collect();
    let alerts: BTreeSet<_> = alerts().into_iter().map(|it| (it.name, it.severity)).collect();
    assert_eq!(listed, alerts);
}

#[test]
fn every_alert_is_tested_where_it_fires_and_where_it_does_not() {
    let tests = read("deploy/prometheus/alerts_test.yml");
    let mut fires: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for case in tests.split("alertname: ").skip(1) {
        let (name, body) = case.split_once('\n').expect("a body");
        let is_quiet = body.lines().next().is_some_and(|it| it.trim() == "exp_alerts: []");
        fires.entry(name).or_default()[usize::from(is_quiet)] += 1;
    }
    for Alert { name, .. } in alerts() {
        let [fires, quiet] = fires.remove(name.as_str()).unwrap_or_default();
        assert!(fires > 0 && quiet > 0, "{name}: fires in {fires} cases, and not in {quiet}");
    }
    assert!(fires.is_empty(), "{fires:?}");
}

#[test]
fn the_pages_name_no_metric_that_is_not_served() {
    let pages = std::fs::read_dir(path("docs/src")).expect("the book");
    let pages = pages.map(|page| page.expect("a page").path());
    for page in pages.filter(|page| page.extension().is_some_and(|it| it == "md")) {
        let text = std::fs::read_to_string(&page).expect("a page");
        for selector in text.split("tollgate_").skip(1) {
            let end = selector.find(|sign: char| !sign.is_ascii_lowercase() && sign != '_');
            let name = format!("tollgate_{}", &selector[..end.unwrap_or(selector.len())]);
            // A page names a histogram as a whole.
            let is_served =
                samples().contains_key(&name) || samples().contains_key(&format!("{name}_bucket"));
            assert!(is_served, "{name} in {}", page.display());
        }
    }
}
