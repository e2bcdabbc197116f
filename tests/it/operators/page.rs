//! The files of the operators' page, without a browser. `tests/it/real/page.rs` has it in one.

use super::*;

const FILES: &str = "src/app/operators/page";

/// Each file of the page by its path, with its text.
fn files() -> Vec<(String, String)> {
    let directory = format!("{}/{FILES}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(directory).expect("the files of the page");
    let file = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().expect("a name of text");
        let path = if name == "index.html" { String::new() } else { name };
        (format!("/{path}"), std::fs::read_to_string(entry.path()).expect("a text"))
    };
    entries.map(|entry| file(entry.expect("a file"))).collect()
}

#[test]
fn each_file_is_served_without_a_token_may_do_little_and_is_sent_again_only_if_it_changed() {
    let served = Served::by(
        Options::default().set("store.url", "memory:").set("admin.token_sha256", &"0".repeat(64)),
    );
    assert_eq!(served.operator.get("/v1/overview", &[]).status, 401, "a token is needed");
    let files = files();
    assert!(files.len() > 5);
    for (path, text) in files {
        let response = served.operator.get(&path, &[]);
        assert_eq!((response.status, &response.body), (200, &text), "{path}");
        let policy = response.header("content-security-policy").expect("a policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self';",
            "connect-src 'self';",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
        let tag = response.header("etag").expect("a tag").as_bytes().to_owned();
        let known = served.operator.get(&path, &[("if-none-match", &tag)]);
        assert_eq!((known.status, &*known.body), (304, ""), "{path}");
        let other = served.operator.get(&path, &[("if-none-match", b"\"other\"")]);
        assert_eq!(other.status, 200);
        assert_eq!(served.operator.request("HEAD", &path, &[]).status, 200, "{path}");
        assert_eq!(served.operator.request("DELETE", &path, &[]).status, 405, "{path}");
    }
}

#[test]
fn no_file_asks_another_host_or_inserts_markup() {
    for (path, text) in files() {
        let addresses = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!addresses.contains("//") || path.ends_with(".js"), "{path}");
        for word in [
            "http:",
            "https:",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "eval(",
            "document.write",
        ] {
            assert!(!addresses.contains(word), "{path} has {word}");
        }
        if path == "/" {
            let is_listener = |word: &str| word.starts_with("on") && word.contains('=');
            assert!(!text.split_whitespace().any(is_listener), "a script within the page");
            assert!(!text.contains("style=") && !text.contains("<style"), "style within the page");
        }
        assert!(text.lines().count() <= 300, "{path} is long");
    }
}
