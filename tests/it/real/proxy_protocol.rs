//! HAProxy and nginx in front, which pass connections on and say by the PROXY protocol whose they are.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;

use tempfile::TempDir;
use tollgate_testkit::process::Process;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::raw::{connect_from, get};
use crate::support::threads::until;

/// Ways in which HAProxy sends the header. The last one adds values, a checksum among them.
const WAYS: [&str; 3] =
    ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"];

/// An HAProxy that knows nothing of HTTP, listens at `port` and passes connections on to `server`.
fn haproxy(directory: &TempDir, port: u16, server: &str) -> Process {
    let text = format!(
        "global\n  maxconn 100\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n\
         frontend clients\n  bind 127.0.0.1:{port}\n  unique-id-format %ci\n  default_backend tollgate\n\
         backend tollgate\n  server tollgate {server}\n"
    );
    let path = directory.path().join("haproxy.cfg");
    fs::write(&path, text).expect("a configuration");
    let program = ["/usr/sbin/haproxy", "haproxy"].into_iter();
    let program = program.clone().find(|it| fs::exists(it).unwrap_or(false));
    let mut command = Command::new(program.unwrap_or("haproxy"));
    command.args(["-db", "-f", path.to_str().expect("text")]);
    let process = Process::start(command);
    until("HAProxy listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    process
}

#[test]
#[ignore = "make test-real"]
fn haproxy_says_who_each_client_is() {
    let admin = format!("127.0.0.1:{}", port::free());
    let directory = TempDir::with_prefix("tollgate-haproxy-").expect("a directory");
    let socket = directory.path().join("tollgate.sock");
    let options = || {
        let options = Options::default().set("store.url", "memory:");
        let options = options.set("policies.default.quota", "2/52 weeks");
        options.set("server.proxy_protocol", "required").set("admin.listen", &admin)
    };
    for is_unix in [false, true] {
        let (_tollgate, to) = if is_unix {
            (options().serve_unix(&socket), format!("unix@{}", socket.display()))
        } else {
            let port = port::free();
            let options = options().set("client_ip.trusted_proxies", "127.0.0.1");
            (options.serve_on(&format!("127.0.0.1:{port}"), port), format!("127.0.0.1:{port}"))
        };
        for (number, way) in (1..).zip(WAYS) {
            let port = port::free();
            // Its health checks come from itself: it says LOCAL or UNKNOWN.
            let server = format!("{to} {way} check check-send-proxy inter 100ms");
            let _haproxy = haproxy(&directory, port, &server);
            for client in 1..=2 {
                let ask = || {
                    let stream = connect_from(Ipv4Addr::new(127, 0, number, client), port);
                    // What a client claims in a field is not read.
                    get(stream, "/api/data", &[("x-forwarded-for", "203.0.113.7")]).status
                };
                assert_eq!([ask(), ask(), ask()], [200, 200, 429], "{way}");
            }
        }
        let text = Client::of(format!("http://{admin}")).get("/metrics", &[]).body;
        let refused =
            "tollgate_connection_limits_total{listener=\"server\",setting=\"proxy_protocol\"} 0\n";
        assert!(text.contains(refused), "{text}");
    }
}

/// The module of nginx that passes connections on, where it is a file of its own.
const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

/// An nginx that knows nothing of HTTP. Of each pair of ports it listens at the first and passes connections on to the second.
fn nginx(directory: &TempDir, pairs: &[[u16; 2]]) -> Process {
    let here = directory.path().display();
    let is_module = fs::exists(STREAM).unwrap_or(false);
    let load = if is_module { format!("load_module {STREAM};") } else { String::new() };
    let server = |[listen, to]: &[u16; 2]| {
        format!(
            "server {{ listen 127.0.0.1:{listen}; proxy_pass 127.0.0.1:{to}; proxy_protocol on; }}"
        )
    };
    let servers: String = pairs.iter().map(server).collect();
    let text = format!(
        "{load} daemon off; worker_processes 1; pid {here}/pid; error_log stderr; events {{ }} stream {{ {servers} }}"
    );
    let path = directory.path().join("nginx.conf");
    fs::write(&path, text).expect("a configuration");
    let program = ["/usr/sbin/nginx", "nginx"].into_iter();
    let program = program.clone().find(|it| fs::exists(it).unwrap_or(false)).unwrap_or("nginx");
    let mut command = Command::new(program);
    command.arg("-e").arg("stderr").arg("-c").arg(path);
    let process = Process::start(command).with_children();
    for [listen, _] in pairs {
        until("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", *listen)).is_ok());
    }
    process
}

#[test]
#[ignore = "make test-real"]
fn nginx_says_who_each_client_is_to_the_app_and_to_the_gate() {
    let [admin, app, gate, to_app, to_gate] = [(); 5].map(|()| port::free());
    let here = |port| format!("127.0.0.1:{port}");
    let options = Options::default().set("store.url", "memory:").set("admin.listen", &here(admin));
    let options = options.set("policies.default.quota", "2/52 weeks");
    let options = options.set("server.proxy_protocol", "required");
    let options = options.set("gate.listen", &here(gate)).set("gate.proxy_protocol", "required");
    // The second one is a server that asks the gate.
    let options = options.set("client_ip.trusted_proxies", "127.0.0.1, 127.0.0.9");
    let _tollgate = options.serve_on(&here(app), app);
    let directory = TempDir::with_prefix("tollgate-nginx-").expect("a directory");
    let _nginx = nginx(&directory, &[[to_app, app], [to_gate, gate]]);
    let admin = Client::of(format!("http://{}", here(admin)));
    let used = |address: &str| -> u64 {
        let text = admin.get(&format!("/v1/keys?key=ip:{address}"), &[]).body;
        let body: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let default = body["policies"].as_array().into_iter().flatten();
        let default = default.clone().find(|it| it["policy"] == "default");
        default.and_then(|it| it["used"].as_u64()).unwrap_or_else(|| panic!("{text}"))
    };
    let source = |last| Ipv4Addr::new(127, 0, 0, last);
    for client in [2, 3] {
        let ask = || {
            let stream = connect_from(source(client), to_app);
            get(stream, "/api/data", &[("x-forwarded-for", "203.0.113.7")]).status
        };
        assert_eq!([ask(), ask(), ask()], [200, 200, 429]);
    }
    let seen = ["127.0.0.2", "127.0.0.3", "127.0.0.1", "203.0.113.7"].map(used);
    assert_eq!(seen, [2, 2, 0, 0], "the clients, neither nginx nor what they claim");

    let question = [
        ("x-forwarded-method", "GET"),
        ("x-forwarded-uri", "/api/data"),
        ("x-forwarded-for", "198.51.100.7"),
    ];
    let ask = |last| get(connect_from(source(last), to_gate), "/v1/auth?proxy=caddy", &question);
    assert_eq!(ask(2).status, 403, "it is no server of ours");
    assert_eq!([9, 9, 9].map(|last| ask(last).status), [200, 200, 429]);
    assert_eq!(used("198.51.100.7"), 2);
    let text = admin.get("/metrics", &[]).body;
    for listener in ["server", "gate"] {
        let refused = format!(
            "tollgate_connection_limits_total{{listener=\"{listener}\",setting=\"proxy_protocol\"}} 0\n"
        );
        assert!(text.contains(&refused), "{text}");
    }
}
