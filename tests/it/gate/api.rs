//! The API of the gate: a server describes a request of its own client, and gets the decision.

use serde_json::{Value, json};

use crate::support::conversation::Conversation;
use crate::support::http::{Client, Response};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::raw::connect_from;
use crate::support::redis::Server;

mod batches;
mod check;
mod connections;
mod document;
mod guard;
mod in_flight;
mod keys;
mod mistakes;
mod outcomes;
mod refunds;
mod reports;
mod tls;

const JSON: (&str, &str) = ("content-type", "application/json");

/// In windows whose edge no test lives to see.
const LIMITS: &str = r#"
[policies.default]
quota = "10/52 weeks"
plans = { pro = "20/52 weeks" }

[policies.posts]
quota = "1/52 weeks"

[policies.logins]
quota = "2/52 weeks"
charge_on = ["401"]

[policies.tenants]
quota = "2/52 weeks"
key = "header:x-tenant"

[routes."/api/data"]
policies = ["default"]

[routes."POST /api/data"]
policies = ["posts"]

[routes."/api/dear"]
policies = ["default"]
cost = 4

[routes."/tenants"]
policies = ["tenants"]
"#;

/// A process with a gate.
struct Stand {
    tollgate: Tollgate,
    gate: Client,
    admin: Client,
    port: u16,
}

impl Stand {
    /// A process that counts by itself.
    fn new() -> Self {
        Self::of(Options::default().set("store.url", "memory:"))
    }

    /// A process that counts in `redis`.
    fn over(redis: &Server) -> Self {
        let options = Options::default().set("store.url", &redis.url());
        Self::of(options.set("store.timeout_ms", "10000"))
    }

    /// A process with these options.
    fn of(options: Options) -> Self {
        Self::with(options, LIMITS)
    }

    /// A process with these options and this configuration.
    fn with(options: Options, config: &str) -> Self {
        let (port, admin) = (port::free(), format!("127.0.0.1:{}", port::free()));
        let listen = format!("127.0.0.1:{port}");
        let options =
            options.config(config).set("gate.listen", &listen).set("admin.listen", &admin);
        let tollgate = options.serve();
        let client = |address: &str| Client::of(format!("http://{address}"));
        Self { tollgate, gate: client(&listen), admin: client(&admin), port }
    }

    /// The response to this body.
    fn post(&self, path: &str, body: &Value) -> Response {
        self.gate.post(path, &[JSON], &body.to_string())
    }

    /// The answer to this question.
    fn ask(&self, path: &str, question: &Value) -> Value {
        let response = self.post(path, question);
        assert_eq!(response.status, 200, "{question}: {}", response.body);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        parsed(&response)
    }

    /// The same, over a new connection.
    fn ask_anew(&self, path: &str, question: &Value) -> Value {
        let client = Client::of(self.gate.url().to_owned());
        let response = client.post(path, &[JSON], &question.to_string());
        assert_eq!(response.status, 200, "{question}: {}", response.body);
        parsed(&response)
    }

    /// The answer to this check.
    fn check(&self, question: &Value) -> Value {
        self.ask("/v1/check", question)
    }

    /// How many of so many equal checks are allowed.
    fn allowed(&self, question: &Value, checks: usize) -> usize {
        (0..checks).filter(|_| self.check(question)["allowed"] == json!(true)).count()
    }

    /// A connection to the gate.
    fn dial(&self) -> Conversation {
        Conversation::over(connect_from([127, 0, 0, 1].into(), self.port))
    }

    fn metric(&self, name: &str) -> u64 {
        let text = self.admin.get("/metrics", &[]).body;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
    }
}

fn parsed(response: &Response) -> Value {
    serde_json::from_str(&response.body).expect("a body of JSON")
}
