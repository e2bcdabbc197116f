//! Own bodies of denials, out of the configuration and the files that it names.

use std::fs;

use super::*;
use crate::support::threads::until;

/// What a browser sends that opens a page.
const BROWSER: (&str, &[u8]) =
    ("accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

const CONFIG: &str = r#"
[refusals]
html_file = "page.html"
json = '{"error":"rate_limited","policy":"{policy}","retry_after":{retry_after}}'

[policies.default]
quota = "1/52 weeks"

[policies.login]
quota = "1/52 weeks"
refusal = { html = "<p>Too many attempts: {limit} in {window} s.</p>" }

[routes."/login"]
policies = ["login"]
"#;

#[test]
fn a_denied_client_gets_the_body_of_the_policy_in_the_format_that_it_likes() {
    on_each_store(|options| {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("main.toml");
        fs::write(&path, CONFIG).expect("a configuration");
        fs::write(directory.path().join("page.html"), "<h1>{quota}</h1>\n").expect("a page");
        let tollgate = options.flag("--config", path.to_str().expect("a path of text")).serve();
        for path in ["/api/data", "/login"] {
            tollgate.get(path, &[]);
        }
        let page = tollgate.get("/api/data", &[BROWSER]);
        assert_eq!((page.status, &*page.body), (429, "<h1>1/52 weeks</h1>\n"));
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(
            (page.header("vary"), page.header("cache-control")),
            (Some("Accept"), Some("no-store"))
        );
        assert!(page.header("ratelimit").is_some() && page.header("retry-after").is_some());
        let login = tollgate.get("/login", &[BROWSER]);
        assert_eq!(login.body, "<p>Too many attempts: 1 in 31449600 s.</p>");

        let asked = tollgate.get("/login", &[("accept", b"application/json")]);
        let wait: u64 = asked.header("retry-after").expect("a wait").parse().expect("seconds");
        let expected = json!({ "error": "rate_limited", "policy": "login", "retry_after": wait });
        assert_eq!(json(&asked), expected);
        for fields in [&[][..], &[("accept", &b"*/*"[..])]] {
            assert_eq!(json(&tollgate.get("/login", fields))["title"], "Quota Exceeded");
        }

        fs::write(directory.path().join("page.html"), "<h1>{policy}</h1>").expect("a page");
        until("the new page is served", || {
            tollgate.get("/api/data", &[BROWSER]).body == "<h1>default</h1>"
        });
        fs::write(directory.path().join("page.html"), "<h1>{name}</h1>").expect("a page");
        let mut tollgate = tollgate;
        tollgate.wait_for_line("{name} is not a variable");
        assert_eq!(tollgate.get("/api/data", &[BROWSER]).body, "<h1>default</h1>");
    });
}

#[test]
fn too_many_wrong_credentials_are_told_likewise() {
    let key = "auth.keys.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.user";
    let options = Options::default().set("store.url", "memory:").set(key, "ann");
    let options = options.set("auth.failures", "1/52 weeks");
    let tollgate = options.set("refusals.text", "Wait {retry_after} s.").serve();
    let fields = [("authorization", &b"Bearer wrong"[..]), ("accept", b"text/plain")];
    assert_eq!(tollgate.get("/api/data", &fields).status, 401);
    let seen = tollgate.get("/api/data", &fields);
    let wait = seen.header("retry-after").expect("a wait");
    assert_eq!((seen.status, &*seen.body), (429, &*format!("Wait {wait} s.")));
}
