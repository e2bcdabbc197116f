//! What an expression in PromQL asks for: the metrics, the values of labels, and the labels that it groups by.

use std::collections::BTreeSet;

use super::{OF_A_SCRAPE, Samples};

/// A metric with the matchers that stand behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector<'a> {
    pub(super) metric: &'a str,
    /// The label, and the values that are asked for. Variables of the dashboard ask for any.
    matchers: Vec<(&'a str, Vec<&'a str>)>,
}

/// The selectors of Tollgate's metrics in `text`.
pub(super) fn selectors(text: &str) -> Vec<Selector<'_>> {
    let mut selectors = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("tollgate_") {
        let of_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let is_name = !rest[..begin].ends_with(of_name);
        let length = rest[begin..].find(|sign| !of_name(sign)).unwrap_or(rest.len() - begin);
        let (metric, after) = rest[begin..].split_at(length);
        rest = after;
        let matchers = match after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some((inside, after)) => {
                rest = after;
                matchers(inside)
            }
            None => Vec::new(),
        };
        if is_name {
            selectors.push(Selector { metric, matchers });
        }
    }
    selectors
}

/// The matchers between two braces.
fn matchers(inside: &str) -> Vec<(&str, Vec<&str>)> {
    let mut matchers = Vec::new();
    let mut rest = inside;
    while let Some((label, after)) = rest.split_once(['=', '!']) {
        let (_, value) = after.split_once('"').expect("a value in quotes");
        let (value, after) = value.split_once('"').expect("the end of a value");
        let values = value.split('|').filter(|value| !value.starts_with('$')).collect();
        matchers.push((label.trim_matches([' ', ',']), values));
        rest = after;
    }
    matchers
}

/// The labels that `text` groups by or joins on.
pub(super) fn groups(text: &str) -> Vec<&str> {
    let mut groups = Vec::new();
    for word in ["by (", "on ("] {
        for part in text.split(word).skip(1) {
            let (labels, _) = part.split_once(')').expect("the end of a list of labels");
            groups.extend(labels.split(',').map(str::trim));
        }
    }
    groups
}

/// Says what `text` asks for that `served` has not.
pub(super) fn unknown(text: &str, served: &Samples) -> Vec<String> {
    let mut unknown = Vec::new();
    let mut labels: BTreeSet<&str> = OF_A_SCRAPE.into();
    for Selector { metric, matchers } in selectors(text) {
        let Some(samples) = served.get(metric) else {
            unknown.push(metric.to_owned());
            continue;
        };
        labels.extend(samples.iter().flatten().map(|(label, _)| label.as_str()));
        for (label, values) in matchers {
            if OF_A_SCRAPE.contains(&label) {
                continue;
            }
            let known: BTreeSet<&str> =
                samples.iter().filter_map(|it| it.get(label)).map(String::as_str).collect();
            if known.is_empty() {
                unknown.push(format!("{metric} with the label {label}"));
            }
            let missing = values.iter().filter(|value| !known.contains(*value));
            unknown.extend(missing.map(|value| format!("{metric} with {label}={value:?}")));
        }
    }
    let groups = groups(text).into_iter().filter(|group| !labels.contains(group));
    unknown.extend(groups.map(|group| format!("the label {group} of {text}")));
    unknown
}

#[test]
fn an_expression_is_read() {
    let text = "sum by (le, job) (rate(tollgate_a_bucket{x=~\"b|$c\", y!=\"d\"}[5m])) / tollgate_e";
    let [first, second] = &selectors(text)[..] else { panic!("{:?}", selectors(text)) };
    assert_eq!(first.metric, "tollgate_a_bucket");
    assert_eq!(first.matchers, [("x", vec!["b"]), ("y", vec!["d"])]);
    assert_eq!(*second, Selector { metric: "tollgate_e", matchers: Vec::new() });
    assert_eq!(groups(text), ["le", "job"]);
    let of = |labels: &[(&str, &str)]| {
        labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect()
    };
    let mut served = Samples::new();
    served.insert("tollgate_a_bucket".to_owned(), [of(&[("x", "z"), ("y", "d")])].into());
    let expected = [
        "tollgate_a_bucket with x=\"b\"".to_owned(),
        "tollgate_e".to_owned(),
        format!("the label le of {text}"),
    ];
    assert_eq!(unknown(text, &served), expected);
}
