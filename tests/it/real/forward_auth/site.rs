//! A proxy in front of an application, with Tollgate beside it: a [`Site`].

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use tollgate_testkit::process::Process;

use super::application::Application;
use super::{apache, caddy, envoy, haproxy, nginx};
use crate::support::conversation::Conversation;
use crate::support::http::{Client, Response};
use crate::support::port;
use crate::support::process::{Options, Tollgate};
use crate::support::raw::connect_from;

/// An ordinary client, and another one. Only 127.0.0.1, where the proxy asks from, is trusted.
pub(super) const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 7);
pub(super) const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 8);

/// A client that an access list blocks.
pub(super) const BLOCKED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// In windows whose edge no test lives to see.
const LIMITS: &str = r#"
[client_ip]
trusted_proxies = ["127.0.0.1"]

[access]
block = ["127.0.0.66"]

[policies.default]
quota = "10/52 weeks"
key = "user-or-ip"

[policies.posts]
quota = "2/52 weeks"
key = "ip"

[policies.many]
quota = "100/52 weeks"
key = "ip"

[routes."/api/*"]
policies = ["default"]

[routes."POST /api/posts"]
policies = ["posts"]

[routes."/many"]
policies = ["many"]
"#;

/// A proxy: of the system's packages, and Envoy of the Python package index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Nginx,
    Caddy,
    Haproxy,
    Apache,
    Envoy,
}

/// What becomes of requests while the gate does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenSilent {
    Closed,
    Open,
}

/// What is other than in the files of `deploy/`.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) directory: &'a Path,
    /// Where the proxy listens.
    pub(super) site: SocketAddr,
    gate: SocketAddr,
    application: SocketAddr,
    when_silent: WhenSilent,
    /// The token that the proxy shows to the gate.
    token: Option<&'a str>,
}

/// All of it, ended on drop.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) tollgate: Option<Tollgate>,
    pub(super) proxy: Process,
    pub(super) application: Application,
    pub(super) gate: SocketAddr,
    address: SocketAddr,
    admin: Client,
    _directory: TempDir,
}

impl Place<'_> {
    /// A file of `deploy/`, with the addresses of this place.
    pub(super) fn deployed(&self, name: &str) -> String {
        let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(path).expect("a file of deploy/");
        let gate = format!("'127.0.0.1', {}", self.gate.port());
        let text = text
            .replace("127.0.0.1:8082", &self.gate.to_string())
            .replace("'127.0.0.1', 8082", &gate)
            .replace("127.0.0.1:3000", &self.application.to_string())
            .replace("port_value: 8082", &format!("port_value: {}", self.gate.port()))
            .replace("port_value: 3000", &format!("port_value: {}", self.application.port()));
        let text = match self.when_silent {
            WhenSilent::Closed => text,
            WhenSilent::Open => opened(&text),
        };
        match self.token {
            None => text,
            Some(token) => with_token(&text, token),
        }
    }

    /// Writes a file that the proxy reads, and returns its path.
    pub(super) fn write(&self, name: &str, text: &str) -> String {
        let path = self.directory.join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a path of text").to_owned()
    }
}

/// The text with the line of `open:` in place of that of `closed:`, as its comments tell an operator to do.
fn opened(text: &str) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let (bare, indent) = (line.trim_start(), line.len() - line.trim_start().len());
        let is_comment = bare.starts_with("# ") || bare.starts_with("-- ");
        if line.contains(" closed: ") && !is_comment {
            continue;
        }
        let is_open = line.contains(" open: ") && is_comment;
        let mark = if bare.starts_with('#') { 2 } else { 3 };
        let line = line.to_owned();
        lines.push(if is_open { line[..indent].to_owned() + &line[indent + mark..] } else { line });
    }
    lines.join("\n") + "\n"
}

/// The text with the line of the token in force, as its comments tell an operator to do.
fn with_token(text: &str, token: &str) -> String {
    text.replace("# proxy_set_header X-Tollgate-Token", "proxy_set_header X-Tollgate-Token")
        .replace("header_up -X-Tollgate-Token", "")
        .replace("# header_up X-Tollgate-Token", "header_up X-Tollgate-Token")
        .replace("TOKEN = nil --", "TOKEN =")
        .replace("# authorization_request:", "authorization_request:")
        .replace("#   headers_to_add:", "  headers_to_add:")
        .replace("#   - { key: x-tollgate-token", "  - { key: x-tollgate-token")
        .replace("tg_...", token)
}

impl Site {
    pub(super) fn of(proxy: Proxy) -> Self {
        Self::with(proxy, WhenSilent::Closed, "")
    }

    /// A site with more of a configuration.
    pub(super) fn with(proxy: Proxy, when_silent: WhenSilent, more: &str) -> Self {
        Self::whole(proxy, when_silent, "memory:", more, None)
    }

    /// The same, which counts in the store at `url`.
    pub(super) fn over(proxy: Proxy, when_silent: WhenSilent, url: &str, more: &str) -> Self {
        Self::whole(proxy, when_silent, url, more, None)
    }

    /// A site whose proxy has this token.
    pub(super) fn with_token(proxy: Proxy, more: &str, token: Option<&str>) -> Self {
        Self::whole(proxy, WhenSilent::Closed, "memory:", more, token)
    }

    fn whole(
        proxy: Proxy,
        when_silent: WhenSilent,
        url: &str,
        more: &str,
        token: Option<&str>,
    ) -> Self {
        let directory = TempDir::with_prefix("tollgate-site-").expect("a directory");
        // Apache reads its Lua as another user.
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(directory.path(), all).expect("a mode");
        let [site, gate, admin] = [(); 3].map(|()| port::free_address());
        let options = Options::default().config(&format!("{LIMITS}{more}"));
        let options = options.set("store.url", url).set("gate.listen", &gate.to_string());
        let tollgate = options.set("admin.listen", &admin.to_string()).serve();
        let application = Application::start();
        let place = Place {
            directory: directory.path(),
            site,
            gate,
            application: application.address(),
            when_silent,
            token,
        };
        let mut proxy = match proxy {
            Proxy::Nginx => nginx::start(&place),
            Proxy::Caddy => caddy::start(&place),
            Proxy::Haproxy => haproxy::start(&place),
            Proxy::Apache => apache::start(&place),
            Proxy::Envoy => envoy::start(&place),
        };
        proxy.until_it_listens(site);
        Self {
            tollgate: Some(tollgate),
            proxy,
            application,
            gate,
            address: site,
            admin: Client::of(format!("http://{admin}")),
            _directory: directory,
        }
    }

    /// A client of the proxy that keeps its connection, at 127.0.0.1.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The answer to a GET of `target` from [`CLIENT`] with these lines.
    pub(super) fn get(&self, target: &str, lines: &[(&str, &str)]) -> Response {
        self.ask(CLIENT, "GET", target, lines, "")
    }

    /// The answer to a request from `source`.
    pub(super) fn ask(
        &self,
        source: Ipv4Addr,
        method: &str,
        target: &str,
        lines: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let mut request = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n");
        for (name, value) in lines {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-length: {}\r\n", body.len());
        }
        request += &format!("connection: close\r\n\r\n{body}");
        let mut conversation = Conversation::over(connect_from(source, self.address.port()));
        conversation.say(request);
        if method == "HEAD" { conversation.head() } else { conversation.answer() }
    }

    /// The answer of Tollgate's own app to a GET of `path` from `source`.
    pub(super) fn ask_app(&self, source: Ipv4Addr, path: &str) -> Response {
        let url = self.tollgate.as_ref().expect("it serves").url();
        let port = url.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
        let mut conversation = Conversation::over(connect_from(source, port));
        conversation.say(format!("GET {path} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n"));
        conversation.answer()
    }

    /// The units of `policy` that the client with this key has used.
    pub(super) fn used(&self, key: &str, policy: &str) -> u64 {
        let response = self.admin.get(&format!("/v1/keys?key={key}"), &[]);
        let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
        let policies = body["policies"].as_array().expect("a list of policies");
        let found = policies.iter().find(|it| it["policy"] == policy);
        found.and_then(|it| it["used"].as_u64()).unwrap_or_else(|| panic!("{body}"))
    }

    /// The value of the metric with this name and these labels.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let text = self.admin.get("/metrics", &[]).body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
    }
}
