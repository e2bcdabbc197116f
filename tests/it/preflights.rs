//! `cors.preflight`: whether CORS preflights are counted by the app and by the gate.

use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::{Options, Tollgate};

const ORIGIN: (&str, &[u8]) = ("origin", b"https://shop.example");
const METHOD: (&str, &[u8]) = ("access-control-request-method", b"GET");

/// One request of each client, of whatever method, in a window whose end no test lives to see.
const CONFIG: &str = "[policies.default]\nquota = \"1/52 weeks\"\n[routes.\"/*\"]\npolicies = [\"default\"]\n\
    [access]\nblock = [\"192.0.2.66\"]\n[client_ip]\ntrusted_proxies = [\"127.0.0.1\"]\n";

struct Stand {
    tollgate: Tollgate,
    gate: Client,
    admin: Client,
}

impl Stand {
    fn new(preflight: &str) -> Self {
        let [gate, admin] = [(); 2].map(|()| port::free_address());
        let options = Options::default().config(CONFIG).set("store.url", "memory:");
        let options = options.set("cors.preflight", preflight);
        let options = options.set("gate.listen", &gate.to_string());
        let tollgate = options.set("admin.listen", &admin.to_string()).serve();
        let client = |address| Client::of(format!("http://{address}"));
        Self { tollgate, gate: client(gate), admin: client(admin) }
    }

    /// The statuses of a few preflights and then of a plain OPTIONS, straight to the app.
    fn app(&self, address: &str) -> [u16; 5] {
        let from = ("x-forwarded-for", address.as_bytes());
        let ask = |fields: &[_]| self.tollgate.request("OPTIONS", "/nowhere", fields).status;
        let preflight = || ask(&[ORIGIN, METHOD, from]);
        [preflight(), preflight(), ask(&[ORIGIN, from]), ask(&[METHOD, from]), preflight()]
    }

    /// The same about requests that a proxy asks about.
    fn forward_auth(&self, address: &str) -> [u16; 5] {
        let from = ("x-forwarded-for", address.as_bytes());
        let about: [(&str, &[u8]); 2] =
            [("x-forwarded-method", b"OPTIONS"), ("x-forwarded-uri", b"/api/data")];
        let ask = |fields: &[(&str, &[u8])]| {
            self.gate.get("/v1/auth?proxy=caddy", &[&about[..], fields].concat()).status
        };
        let preflight = || ask(&[ORIGIN, METHOD, from]);
        [preflight(), preflight(), ask(&[ORIGIN, from]), ask(&[METHOD, from]), preflight()]
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let response =
            self.gate.post(path, &[("content-type", "application/json")], &body.to_string());
        assert_eq!(response.status, 200, "{}", response.body);
        serde_json::from_str(&response.body).expect("JSON")
    }

    /// Whether a check lets the same pass.
    fn check(&self, address: &str) -> [bool; 5] {
        let ask = |headers: Value| {
            let about = json!({"method": "OPTIONS", "path": "/api/data", "ip": address, "headers": headers});
            self.post("/v1/check", &about)["allowed"].as_bool().expect("a decision")
        };
        let preflight = || ask(fields());
        [
            preflight(),
            preflight(),
            ask(json!({"Origin": "null"})),
            ask(json!({"Access-Control-Request-Method": "GET"})),
            preflight(),
        ]
    }
}

/// The fields of a preflight, as a server describes them.
fn fields() -> Value {
    json!({"Origin": "https://shop.example", "Access-Control-Request-Method": "GET"})
}

#[test]
fn preflights_that_pass_use_no_quota_on_the_app_and_on_the_gate() {
    let stand = Stand::new("pass");
    // The app has no such path, so it answers what passes as it always does.
    assert_eq!(stand.app("192.0.2.1"), [404, 404, 404, 429, 404]);
    assert_eq!(stand.forward_auth("192.0.2.2"), [200, 200, 200, 429, 200]);
    assert_eq!(stand.check("192.0.2.3"), [true, true, true, false, true]);
    let about =
        json!({"method": "OPTIONS", "path": "/api/data", "ip": "192.0.2.4", "headers": fields()});
    assert_eq!(stand.post("/v1/report", &about)["policies"], json!([]), "nothing is charged");
}

#[test]
fn preflights_are_counted_by_default() {
    let stand = Stand::new("limit");
    assert_eq!(stand.app("192.0.2.1"), [404, 429, 429, 429, 429]);
    assert_eq!(stand.forward_auth("192.0.2.2"), [200, 429, 429, 429, 429]);
    assert_eq!(stand.check("192.0.2.3"), [true, false, false, false, false]);
}

#[test]
fn preflights_of_blocked_and_banned_clients_do_not_pass() {
    let stand = Stand::new("pass");
    let ban = r#"{"key":"ip:192.0.2.77","for":"1h","by":"test"}"#;
    let banned = stand.admin.post("/v1/bans", &[("content-type", "application/json")], ban);
    assert_eq!(banned.status, 200, "{}", banned.body);
    for address in ["192.0.2.66", "192.0.2.77"] {
        assert_eq!(stand.app(address), [403; 5], "{address}");
        assert_eq!(stand.forward_auth(address), [403; 5], "{address}");
        assert_eq!(stand.check(address), [false; 5], "{address}");
    }
}

#[test]
fn explain_says_that_a_preflight_passes_and_why() {
    let ask = |preflight, method| {
        let stand = Stand::new(preflight);
        let path = format!(
            "/v1/explain?method={method}&path=/api/data&ip=192.0.2.1&header=origin:null\
             &header=access-control-request-method:GET"
        );
        let response = stand.admin.get(&path, &[]);
        let told: Value = serde_json::from_str(&response.body).expect("JSON");
        (told["verdict"].clone(), told["why"].as_str().expect("a reason").to_owned())
    };
    let (verdict, why) = ask("pass", "OPTIONS");
    let place = "the command line";
    assert_eq!(verdict, "unlimited");
    assert_eq!(why, format!("It is a CORS preflight, and those pass uncounted ({place})."));
    assert_eq!(ask("pass", "GET").0, "admitted");
    assert_eq!(ask("limit", "OPTIONS").0, "admitted");
}
