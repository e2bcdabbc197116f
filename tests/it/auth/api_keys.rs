use std::fs;

use super::*;

/// What `tollgate keys new` prints: the key, and the line to store.
pub(super) fn new_key(arguments: &[&str]) -> (String, String) {
    let finished = Options::default().run(&[&["keys", "new"], arguments].concat());
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    let lines: Vec<_> = finished.stdout.lines().collect();
    let [key, line] = lines[..] else { panic!("{}", finished.stdout) };
    assert!(!finished.stderr.contains(key) && !line.contains(key), "the key is shown once");
    (key.to_owned(), line.to_owned())
}

#[test]
fn a_new_key_works_from_the_configuration_and_from_the_file_beside_it() {
    let (ann, ann_line) = new_key(&["--user", "ann", "--plan", "pro"]);
    let (bob, bob_line) = new_key(&["--user", "b\"o\\b = { } # ø"]);
    assert!(ann_line.ends_with(r#" = { user = "ann", plan = "pro" }"#), "{ann_line}");
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("keys.toml"), &bob_line).expect("a file of keys");
    let main = directory.path().join("tollgate.toml");
    let text = format!(
        "[auth]\nkeys_file = \"keys.toml\"\n[auth.keys]\n{ann_line}\n\
         [policies.default.plans]\npro = \"20/52 weeks\"\n"
    );
    fs::write(&main, text).expect("a configuration");
    on_each_store(|options| {
        // Seen from where the configuration is, not from where the command runs.
        let tollgate = options.flag("--config", main.to_str().expect("a path of text")).serve();
        assert_eq!(remaining(&bearer(&tollgate, &ann)), 19);
        assert_eq!(remaining(&bearer(&tollgate, &ann)), 18);
        assert_eq!(remaining(&bearer(&tollgate, &bob)), 9);
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9);
    });
}

#[test]
fn keys_are_made_without_any_configuration_or_with_a_broken_one() {
    let finished = Options::default().config("= nonsense").run(&["keys", "new", "--user", "1"]);
    assert_eq!(finished.status.code(), Some(0), "{}", finished.stderr);
    for arguments in
        [&["keys"][..], &["keys", "new"], &["keys", "new", "--user", ""], &["keys", "old"]]
    {
        assert_eq!(Options::default().run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn what_is_nearly_a_key_is_none_and_costs_its_user_nothing() {
    let (key, line) = new_key(&["--user", "1042"]);
    let (digest, _) = line.split_once(" = ").expect("the digest and the user");
    let mut near: Vec<String> = vec![
        digest.to_owned(),
        digest.to_uppercase(),
        key.to_uppercase(),
        key.replace("tg_", ""),
        key.replace("tg_", "TG_"),
        format!("tg_{key}"),
        format!("{key}0"),
        format!("0{key}"),
        format!("{key} {key}"),
        format!("{key},"),
        format!("{key}%00"),
        format!("\"{key}\""),
        format!("{key}.{key}.{key}"),
        "1042".to_owned(),
        "tg_".to_owned(),
    ];
    near.extend((1..key.len()).map(|end| key[..end].to_owned()));
    // One digit is another.
    near.extend((3..key.len()).map(|at| {
        let other = if &key[at..=at] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &key[..at], &key[at + 1..])
    }));
    on_each_store(|options| {
        let tollgate = options.config(&format!("[auth.keys]\n{line}")).serve();
        assert_eq!(remaining(&bearer(&tollgate, &key)), 9);
        for near in &near {
            assert_refused(&bearer(&tollgate, near), near);
        }
        for line in ["", "Bearer", "Basic YTpi", &key, &format!("Token {key}")] {
            let response = tollgate.get("/api/data", &[("authorization", line.as_bytes())]);
            assert_refused(&response, line);
        }
        let line = format!("bearer {key}");
        let twice = [("authorization", line.as_bytes()); 2];
        assert_refused(&tollgate.get("/api/data", &twice), "twice");
        assert_eq!(remaining(&bearer(&tollgate, &key)), 8);
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9);
    });
}

#[test]
fn keys_may_have_a_field_of_their_own() {
    let (key, line) = new_key(&["--user", "1042"]);
    let config = format!("[auth]\napi_key_header = \"X-API-Key\"\n[auth.keys]\n{line}");
    let tollgate = options("memory:").config(&config).serve();
    let ask = |name, value: &str| tollgate.get("/api/data", &[(name, value.as_bytes())]);
    assert_eq!(remaining(&ask("x-api-key", &key)), 9);
    let refused = ask("x-api-key", "nonsense");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), Some(r#"ApiKey header="x-api-key""#));
    // The app behind may have a use for this one.
    assert_eq!(remaining(&ask("authorization", &format!("Bearer {key}"))), 9);
    assert_eq!(remaining(&ask("authorization", "Basic YTpi")), 8);
    assert_eq!(remaining(&ask("x-api-key", &key)), 8);
}

#[test]
fn a_file_of_keys_without_any_lets_no_key_pass() {
    let none = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/no_keys.toml");
    let options = options("memory:").set("auth.keys_file", none);
    let tollgate = options.serve();
    assert_refused(&bearer(&tollgate, "tg_anything"), "no keys");
    assert_eq!(tollgate.get("/api/data", &[]).status, 200);
}

#[test]
fn without_any_way_to_authenticate_credentials_are_no_matter() {
    let tollgate = options("memory:").serve();
    assert_eq!(remaining(&bearer(&tollgate, "tg_anything")), 9);
    assert_eq!(remaining(&bearer(&tollgate, "a.b.c")), 8);
}
