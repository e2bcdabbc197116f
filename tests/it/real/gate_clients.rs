//! The clients that `docs/src/gate-clients.md` shows, in the languages that the system's packages have.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::port;
use crate::support::process::Options;

/// The only block of the page in `language`, asking the gate at `listen`.
fn client(language: &str, listen: &str) -> String {
    let page = include_str!("../../../docs/src/gate-clients.md");
    let (_, rest) = page.split_once(&format!("```{language}\n")).expect("a block");
    let (block, _) = rest.split_once("```").expect("its end");
    let (host, port) = listen.split_once(':').expect("a port");
    let client = block.replace("127.0.0.1:8082", listen);
    client.replace("\"127.0.0.1\", 8082", &format!("{host:?}, {port}"))
}

/// What `program` prints of four checks of a client that may make two requests, and of a wrong question.
fn answers(program: &str, name: &str, language: &str, calls: &str) -> Vec<Value> {
    let listen = format!("127.0.0.1:{}", port::free());
    let options = Options::default().set("store.url", "memory:").set("gate.listen", &listen);
    let _tollgate = options.set("policies.default.quota", "2/52 weeks").serve();
    let directory = TempDir::with_prefix("tollgate-client-").expect("a directory");
    let path = directory.path().join(name);
    fs::write(&path, client(language, &listen) + calls).expect("a file");
    let output = Command::new(program).arg(path).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn assert_answers(answers: &[Value]) {
    let allowed: Vec<_> = answers[..4].iter().map(|answer| &answer["allowed"]).collect();
    assert_eq!(allowed, [true, true, false, false]);
    assert_eq!(answers[1]["policies"][0]["remaining"], 0);
    assert!(answers[2]["headers"]["retry-after"].is_string());
    assert_eq!(answers[2]["refusal"]["status"], 429);
    assert_eq!(answers[2]["refusal"]["body"]["title"], "Quota Exceeded");
    assert_eq!(
        answers[4],
        json!("#/ip: expected an IPv4 or IPv6 address, such as 203.0.113.7, got \"here\".")
    );
    assert_eq!(answers.len(), 5);
}

#[test]
#[ignore = "make test-real"]
fn the_client_in_python_asks() {
    let calls = r#"
for _ in range(4):
    print(json.dumps(check(method="GET", path="/api/data", ip="203.0.113.7")))
try:
    check(path="/api/data", ip="here")
except ValueError as error:
    print(json.dumps(str(error)))
"#;
    assert_answers(&answers("python3", "client.py", "python", calls));
}

#[test]
#[ignore = "make test-real"]
fn the_client_in_javascript_asks() {
    let calls = r#"
for (let i = 0; i < 4; i++) {
  console.log(JSON.stringify(await check({ method: "GET", path: "/api/data", ip: "203.0.113.7" })));
}
await check({ path: "/api/data", ip: "here" }).catch((error) => console.log(JSON.stringify(error.message)));
"#;
    assert_answers(&answers("node", "client.mjs", "javascript", calls));
}
