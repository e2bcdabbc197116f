//! The API of the gate under schemathesis, which makes requests from the OpenAPI document: valid ones must be
//! accepted, others refused, and each answer must be what the document says.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::redis::Server;

/// The SHA-256 of the token `abc`.
const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// No schema says which texts are IDs of decisions, so a text that fits the schema of a refund or of an
/// outcome may be refused.
const CONFIG: &str = r#"
[[operations]]
include-name = "POST /v1/refund"

[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401"]

[[operations]]
include-name = "POST /v1/report"

[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "404"]
"#;

/// The program, where `tests/setup.sh` puts it.
fn program() -> PathBuf {
    let built = Path::new(env!("CARGO_BIN_EXE_tollgate"));
    let mut places = built.ancestors().map(|place| place.join("tools/schemathesis/bin/st"));
    places.find(|place| place.exists()).expect("tests/setup.sh schemathesis")
}

#[test]
#[ignore = "make test-real"]
fn no_request_that_the_document_allows_finds_a_fault() {
    let redis = Server::start();
    for (store, seed) in [("memory:", "1"), (&redis.url(), "2")] {
        let directory = TempDir::with_prefix("tollgate-schemathesis-").expect("a directory");
        std::fs::write(directory.path().join("schemathesis.toml"), CONFIG).expect("a file");
        let listen = format!("127.0.0.1:{}", port::free());
        let mut tollgate = Options::default()
            .set("store.url", store)
            .set("store.timeout_ms", "10000")
            .set("gate.listen", &listen)
            .set("gate.token_sha256", DIGEST)
            // It also asks without the token, and with wrong ones.
            .set("auth.failures", "1000000/minute")
            .serve();
        let mut command = Command::new(program());
        command.current_dir(directory.path());
        command.args(["run", &format!("http://{listen}/openapi.json")]);
        command.args(["--header", "Authorization: Bearer abc", "--checks", "all"]);
        command.args(["--max-examples", "100", "--seed", seed, "--no-color"]);
        // It warns that most refunds are refused, since it makes up their IDs.
        command.args(["--warnings", "off"]);
        let output = command.output().expect("schemathesis runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("Tested: 4") && said.contains("No issues found"), "{said}");
        let alive = Client::of(format!("http://{listen}")).get("/healthz", &[]);
        assert_eq!(alive.status, 200);
        let noise: Vec<_> =
            tollgate.stderr().iter().filter(|line| line.contains("panic")).collect();
        assert!(noise.is_empty(), "{noise:?}");
    }
}
