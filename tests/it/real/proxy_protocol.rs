//! HAProxy in front, which passes connections on and says by the PROXY protocol whose they are.

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
