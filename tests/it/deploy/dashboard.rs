//! deploy/grafana/tollgate.json

use std::collections::BTreeSet;

use serde_json::Value;

use super::promql::{groups, selectors, unknown};
use super::read;
use super::served::samples;

/// Where Grafana puts the data source that is chosen.
const SOURCE: &str = "${datasource}";

fn dashboard() -> Value {
    serde_json::from_str(&read("deploy/grafana/tollgate.json")).expect("JSON")
}

fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    value.pointer(path).and_then(Value::as_array).expect(path)
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} of {value}"))
}

fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} of {value}"))
}

/// The panels that show something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    list(dashboard, "/panels").iter().filter(|panel| text(panel, "/type") != "row").collect()
}

/// Every expression of the dashboard, each with where it stands.
pub(crate) fn expressions() -> Vec<(String, String)> {
    let dashboard = dashboard();
    let of_panels = panels(&dashboard).into_iter().flat_map(|panel| {
        let targets = list(panel, "/targets").iter();
        targets.map(|target| (text(panel, "/title"), text(target, "/expr")))
    });
    let annotations = list(&dashboard, "/annotations/list").iter();
    let of_annotations = annotations.map(|it| (text(it, "/name"), text(it, "/expr")));
    let all = of_panels.chain(of_annotations);
    all.map(|(place, expression)| (place.to_owned(), expression.to_owned())).collect()
}

/// The queries of its variables, but for the one that chooses the data source.
fn variables(dashboard: &Value) -> Vec<&Value> {
    let variables = list(dashboard, "/templating/list").iter();
    variables.filter(|it| text(it, "/type") != "datasource").collect()
}

#[test]
fn every_expression_asks_for_what_is_served() {
    for (place, expression) in expressions() {
        assert!(!selectors(&expression).is_empty(), "{place}: {expression}");
        assert_eq!(unknown(&expression, samples()), Vec::<String>::new(), "{place}");
    }
    let dashboard = dashboard();
    for variable in variables(&dashboard) {
        let query = text(variable, "/query/query");
        assert_eq!(unknown(query, samples()), Vec::<String>::new());
        let (_, label) = query.rsplit_once(", ").expect("a label");
        let label = label.trim_end_matches(')');
        assert_eq!(text(variable, "/name"), label);
        let is_known = super::OF_A_SCRAPE.contains(&label)
            || selectors(query)
                .iter()
                .all(|it| samples()[it.metric].iter().all(|it| it.contains_key(label)));
        assert!(is_known, "{query}");
    }
}

#[test]
fn every_expression_goes_by_the_processes_that_are_chosen() {
    let chosen = "job=~\"$job\", instance=~\"$instance\"";
    for (place, expression) in expressions() {
        let selectors = selectors(&expression).len();
        assert_eq!(expression.matches(chosen).count(), selectors, "{place}: {expression}");
    }
}

#[test]
fn every_legend_names_a_label_that_its_expression_keeps() {
    let dashboard = dashboard();
    for target in panels(&dashboard).iter().flat_map(|panel| list(panel, "/targets")) {
        let (legend, expression) = (text(target, "/legendFormat"), text(target, "/expr"));
        for label in legend.split("{{").skip(1).map(|it| it.split("}}").next().expect("a label")) {
            let is_kept = groups(expression).contains(&label)
                || (label == "instance" && !expression.contains("sum"));
            assert!(is_kept, "{label} of {expression}");
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_asks_the_source_that_is_chosen() {
    let dashboard = dashboard();
    for panel in panels(&dashboard) {
        let title = text(panel, "/title");
        assert!(text(panel, "/description").ends_with(['.', '?']), "{title}");
        assert_eq!(text(panel, "/datasource/uid"), SOURCE, "{title}");
        for target in list(panel, "/targets") {
            assert_eq!(text(target, "/datasource/uid"), SOURCE, "{title}");
        }
    }
    for it in variables(&dashboard).into_iter().chain(list(&dashboard, "/annotations/list")) {
        assert_eq!(text(it, "/datasource/uid"), SOURCE, "{it}");
    }
}

#[test]
fn panels_have_numbers_of_their_own_and_do_not_overlap() {
    let dashboard = dashboard();
    let mut numbers = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in list(&dashboard, "/panels") {
        let title = text(panel, "/title");
        assert!(numbers.insert(number(panel, "/id")), "{title}");
        let [x, y, width, height] =
            ["x", "y", "w", "h"].map(|it| number(panel, &format!("/gridPos/{it}")));
        assert!(x + width <= 24, "{title}");
        for column in x..x + width {
            for line in y..y + height {
                assert!(taken.insert((column, line)), "{title}");
            }
        }
    }
}

#[test]
fn every_metric_that_is_served_is_on_the_dashboard() {
    let all: Vec<_> = expressions().into_iter().map(|(_, expression)| expression).collect();
    let shown: BTreeSet<&str> =
        all.iter().flat_map(|it| selectors(it)).map(|it| base(it.metric)).collect();
    let served: BTreeSet<&str> = samples().keys().map(|name| base(name)).collect();
    let missing: Vec<_> = served.difference(&shown).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The name of the histogram that has this sample, or else the name itself.
fn base(name: &str) -> &str {
    let suffixes = ["_bucket", "_sum", "_count"];
    suffixes.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}
