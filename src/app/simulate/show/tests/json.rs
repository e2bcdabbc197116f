use serde_json::{Value, json};

use super::forms::{all, written};
use super::samples;
use crate::app::simulate::report::Report;

fn parsed(report: &Report) -> Value {
    let text = written(|it| crate::app::simulate::show::json(report, it));
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn figures_have_their_names() {
    let report = parsed(&samples::a_day());
    assert_eq!(report["version"], 1);
    assert_eq!(report["lines"], 98_324);
    assert_eq!(report["unparsed"], 14);
    let policy = &report["policies"]["default"];
    let figures = ["requests", "denied", "clients", "clients_denied"].map(|it| &policy[it]);
    assert_eq!(figures, [98_310, 1_204, 3_201, 17].map(|it| json!(it)).each_ref());
    assert_eq!(report["current"], Value::Null);
    assert_eq!(report["difference"], Value::Null);
}

#[test]
fn the_current_configuration_has_the_same_fields() {
    let report = parsed(&samples::compared());
    assert_eq!(report["current"]["totals"]["denied"], 812);
    assert_eq!(report["current"]["policies"]["default"]["denied"], 812);
    assert_eq!(report["totals"]["denied"], 1_204);
    assert_eq!(report["difference"]["clients_newly_denied"][0]["client"], "ip:203.0.113.7");
}

#[test]
fn no_field_comes_twice() {
    for report in all() {
        let text = written(|it| crate::app::simulate::show::json(&report, it));
        let mut fields: Vec<_> = text.lines().filter(|it| it.starts_with("  \"")).collect();
        fields.sort_unstable();
        let names = fields.iter().filter_map(|it| it.split(':').next());
        let mut names: Vec<_> = names.collect();
        let number = names.len();
        names.dedup();
        assert_eq!(names.len(), number);
    }
}

#[test]
fn the_documentation_names_every_field() {
    const PAGE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/simulate-report.md"));
    let mut names = Vec::new();
    collect(&parsed(&samples::compared()), &mut names);
    let missing: Vec<_> =
        names.iter().filter(|it| !PAGE.contains(&format!("| `{it}` |"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The names of all fields, without those of policies.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names.push(name.clone());
                match (name.as_str(), value) {
                    ("policies", Value::Object(policies)) => {
                        policies.values().for_each(|policy| collect(policy, names));
                    }
                    _ => collect(value, names),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}
