//! Forward-auth without a proxy: each test asks as a proxy would.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::support::conversation::Conversation;
use crate::support::http::{Client, Response};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::raw::connect_from;

mod answers;
mod in_flight;
mod keys;
mod mistakes;
mod trust;

/// In windows whose edge no test lives to see.
const LIMITS: &str = r#"
[policies.default]
quota = "10/52 weeks"
key = "user-or-ip"

[policies.posts]
quota = "1/52 weeks"
key = "ip"

[policies.tenants]
quota = "2/52 weeks"
key = "header:x-tenant"

[routes."/api/*"]
policies = ["default"]

[routes."POST /api/posts"]
policies = ["posts"]

[routes."/tenants"]
policies = ["tenants"]

[routes."/"]
policies = ["posts"]
"#;

/// Trusts the proxies of this machine.
const TRUSTED: &str = "[client_ip]\ntrusted_proxies = [\"127.0.0.1\"]\n";

/// The proxies that describe their client's request in fields.
const BY_FIELDS: [&str; 5] = ["nginx", "caddy", "traefik", "haproxy", "apache"];

/// The command with a gate.
struct Stand {
    tollgate: Tollgate,
    gate: Client,
    admin: Client,
    port: u16,
}

impl Stand {
    /// With [`TRUSTED`] and more of a configuration.
    fn new(more: &str) -> Self {
        Self::of(&format!("{TRUSTED}{more}"))
    }

    fn of(more: &str) -> Self {
        Self::over("memory:", &format!("{LIMITS}{more}"))
    }

    /// With this configuration, counting in the store at `url`.
    fn over(url: &str, config: &str) -> Self {
        let [gate, admin] = [(); 2].map(|()| port::free_address());
        let options = Options::default().config(config);
        let options = options.set("store.url", url).set("gate.listen", &gate.to_string());
        let tollgate = options.set("admin.listen", &admin.to_string()).serve();
        let client = |address| Client::of(format!("http://{address}"));
        Self { tollgate, gate: client(gate), admin: client(admin), port: gate.port() }
    }

    /// What `proxy` is answered about `method uri`, asked by the client at this address.
    fn ask(&self, proxy: &str, method: &str, uri: &str, address: &str) -> Response {
        self.ask_with(proxy, method, uri, address, &[])
    }

    fn ask_with(
        &self,
        proxy: &str,
        method: &str,
        uri: &str,
        address: &str,
        more: &[(&str, &[u8])],
    ) -> Response {
        let lines = [
            ("x-forwarded-method", method.as_bytes()),
            ("x-forwarded-uri", uri.as_bytes()),
            ("x-forwarded-for", address.as_bytes()),
        ];
        self.gate.get(&format!("/v1/auth?proxy={proxy}"), &[&lines, more].concat())
    }

    /// How many questions could not be answered, by kind.
    fn errors(&self, kind: &str) -> u64 {
        let name = format!("tollgate_gate_errors_total{{door=\"forward-auth\",kind=\"{kind}\"}} ");
        let text = self.admin.get("/metrics", &[]).body;
        let value = text.lines().find_map(|line| line.strip_prefix(&*name));
        value.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
    }

    /// The units of `policy` that the client with this key has used.
    fn used(&self, key: &str, policy: &str) -> u64 {
        let body = problem(&self.admin.get(&format!("/v1/keys?key={key}"), &[]));
        let policies = body["policies"].as_array().expect("a list of policies");
        let found = policies.iter().find(|it| it["policy"] == policy);
        found.and_then(|it| it["used"].as_u64()).unwrap_or_else(|| panic!("{body}"))
    }
}

/// The body as JSON.
fn problem(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap_or_else(|_| panic!("no JSON: {response:?}"))
}
