use super::*;

fn origin() -> Origin {
    Origin::file("a:b.toml")
}

fn line_of(tables: &Map<String, Value>, path: &[&str]) -> String {
    let (first, rest) = path.split_first().expect("a path");
    let value = &tables[*first];
    match (&value.kind, rest) {
        (ValueKind::Table(inner), [_, ..]) => line_of(inner, rest),
        _ => Origin::of(value).to_string(),
    }
}

#[test]
fn each_value_has_its_line() {
    let text = "# é\n[store]\nurl = \"x\"\n\n[routes.\"/a\"]\npolicies = [\n  \"p\",\n]\r\n[policies.p]\n\
                plans = { pro = \"1/minute\" }\nusers.u = \"2/minute\"\n";
    let tables = parse(text, &origin()).expect("it is TOML");
    let cases: [(&[&str], usize); 6] = [
        (&["store", "url"], 3),
        (&["routes", "/a"], 5),
        (&["routes", "/a", "policies"], 6),
        (&["policies", "p"], 9),
        (&["policies", "p", "plans", "pro"], 10),
        (&["policies", "p", "users", "u"], 11),
    ];
    for (path, line) in cases {
        assert_eq!(line_of(&tables, path), format!("a:b.toml:{line}"), "{path:?}");
    }
}

#[test]
fn only_values_of_files_have_lines() {
    let tables = parse("x = 1", &Origin::CommandLine).expect("it is TOML");
    assert_eq!(Origin::of(&tables["x"]), Origin::CommandLine);
}

#[test]
fn a_mistake_has_its_line_and_column() {
    let error = parse("a = 1\nbé = \"x\" y", &origin()).expect_err("it is no TOML");
    assert_eq!(error.position, Some((2, 10)));
    assert_eq!(error.origin(&origin()).to_string(), "a:b.toml:2");
}
