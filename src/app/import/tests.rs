use std::fmt::Write as _;

use super::*;

/// The TOML of one file.
fn imported(yaml: &str) -> String {
    text(&converted(&[read(yaml).expect(yaml)]).expect(yaml))
}

fn read(yaml: &str) -> Result<RatelimitConfig, ImportError> {
    RatelimitConfig::read("x.yaml", yaml)
}

/// Why a file is refused.
fn refused(yaml: &str) -> String {
    match read(yaml).and_then(|config| converted(&[config])) {
        Ok(imported) => panic!("{yaml}\n{}", text(&imported)),
        Err(error) => error.to_string(),
    }
}

/// What follows the part that is always the same.
fn body(toml: &str) -> &str {
    let (_, body) = toml.split_once("# where Envoy asks\n").expect(toml);
    body
}

#[test]
fn every_option_of_a_descriptor_is_turned_into_one_or_noted() {
    let toml = imported(
        r#"
domain: edge
descriptors:
- key: path
  value: /files/*
  share_threshold: true
  value_to_metric: true
  rate_limit: {unit: HOUR, requests_per_unit: 100, name: files}
  descriptors:
  - key: user
    detailed_metric: true
    shadow_mode: true
    metadata: {any: [thing]}
    rate_limit:
      unit: month
      requests_per_unit: 7
      replaces: [{name: files}, {name: other}]
- key: number
  value: 7
  rate_limit: {unlimited: true}
- key: a,b=*\ c
- key: closed
  value: ""
  rate_limit: {unit: day, requests_per_unit: 0}
"#,
    );
    assert_eq!(
        body(&toml),
        r#"
# note: detailed_metric and value_to_metric have no counterpart: metrics are labelled with policies
[policies."files"]
quota = "100/hour"
key = "descriptor"

[descriptors."edge"."path=/files/*"]
policies = ["files"]
share = ["path"]

# note: detailed_metric and value_to_metric have no counterpart: metrics are labelled with policies
# note: metadata has no counterpart
# note: this limit replaces "files" there where a request has both; here both count
# note: this limit replaces "other" there where a request has both; here both count
# note: a month has 30 days, here and there; "7/month" would end with the calendar's
[policies."edge-path-files-user"]
quota = "7/30 days"
key = "descriptor"
mode = "shadow"

[descriptors."edge"."path=/files/*, user"]
policies = ["edge-path-files-user"]
share = ["path"]

[descriptors."edge"."number=7"]
policies = []

[descriptors."edge"."a\\,b\\=\\*\\\\\\ c"]
policies = []

[descriptors."edge"."closed"]
refuse = true
"#
    );
}

#[test]
fn policies_have_names_of_their_own() {
    let mut yaml = "domain: default\ndescriptors:\n".to_owned();
    let long = "x".repeat(100);
    for name in ["default", "a b", "a-b", "a/b", "\u{e9}", &long, &format!("{long}y")] {
        let limit = format!("{{unit: day, requests_per_unit: 1, name: {name:?}}}");
        let _ = writeln!(yaml, "- {{key: {name:?}, rate_limit: {limit}}}");
    }
    let toml = imported(&yaml);
    let names: Vec<_> = toml.lines().filter_map(|it| it.strip_prefix("[policies.\"")).collect();
    let cut = "x".repeat(crate::domain::policy::MAX_NAME);
    let second = format!("{}-2", &cut[2..]);
    let expected = ["default-2", "a-b", "a-b-2", "a-b-3", "policy", &cut, &second];
    assert_eq!(names, expected.map(|name| format!("{name}\"]")));
}

#[test]
fn what_the_service_itself_would_refuse_is_refused() {
    let one = |descriptor: &str| format!("domain: d\ndescriptors:\n- {descriptor}\n");
    for (yaml, expected) in [
        ("domain: ''".to_owned(), "x.yaml: the domain is empty"),
        ("descriptors: []".to_owned(), "x.yaml is no configuration of the service: "),
        ("domain: [".to_owned(), "x.yaml is no configuration of the service: "),
        (one("{key: a, limit: 1}"), "x.yaml is no configuration of the service: "),
        (one("{key: ''}"), "x.yaml: a descriptor has an empty key"),
        (
            one("{key: a, rate_limit: {unit: decade, requests_per_unit: 1}}"),
            "x.yaml: \"decade\" is no unit of a limit",
        ),
        (one("{key: a, rate_limit: {requests_per_unit: 1}}"), "x.yaml: \"\" is no unit of a limit"),
        (
            one("{key: a, rate_limit: {unit: day, unlimited: true}}"),
            "x.yaml: a limit is unlimited, and has a unit",
        ),
        (
            one("{key: a, rate_limit: {unit: day, requests_per_unit: -1}}"),
            "x.yaml is no configuration of the service: ",
        ),
        (
            one("{key: a, value: b, share_threshold: true}"),
            "x.yaml: share_threshold of \"a\" needs a value with a star",
        ),
        (
            one(
                "{key: a, rate_limit: {unit: day, requests_per_unit: 1, name: n, replaces: [{name: n}]}}",
            ),
            "x.yaml: replaces has an empty name",
        ),
        (one("{key: a}\n- {key: a}"), "x.yaml: the domain \"d\" has the descriptor a twice"),
    ] {
        let error = refused(&yaml);
        assert!(error.starts_with(expected), "{yaml}\n{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn a_file_that_grows_as_it_is_read_is_refused() {
    let mut yaml = "domain: d\na0: &a0 [x]\n".to_owned();
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(yaml, "a{level}: &a{level} [{aliases}]");
    }
    assert!(refused(&yaml).starts_with("x.yaml is no configuration of the service: "));
    let deep = format!("domain: d\ndescriptors: {}", "[{key: a, descriptors: ".repeat(10_000));
    assert!(refused(&deep).starts_with("x.yaml is no configuration of the service: "));
}

#[test]
fn files_may_share_a_domain() {
    let yaml = |key: &str| format!("domain: d\ndescriptors:\n- {{key: {key}}}\n");
    let configs = [read(&yaml("a")), read(&yaml("b"))].map(|it| it.expect("a configuration"));
    let imported = converted(&configs).expect("they fit");
    assert_eq!(imported.notes(), 1);
    let toml = text(&imported);
    assert!(toml.contains("# note: d: x.yaml has this domain as well"), "{toml}");
    assert!(
        toml.contains("[descriptors.\"d\".\"a\"]") && toml.contains("[descriptors.\"d\".\"b\"]")
    );
}

#[test]
fn an_imported_configuration_is_valid() {
    let toml = imported(
        "domain: \"a \\\"b\\\" \\u007f\"\ndescriptors:\n- {key: \"k\\n\", value: \"*\\t=\", rate_limit: {unit: year, requests_per_unit: 4294967295}}\n",
    );
    let table = ::toml::de::DeTable::parse(&toml);
    assert!(table.is_ok(), "{toml}\n{table:?}");
}
