//! The two sides of `deploy/examples/nginx`: a real nginx in front of the command.

use std::fs;
use std::process::Command;

use tempfile::TempDir;
use tollgate_testkit::process::Process;

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::threads::until;

const SOCKET: &str = "/run/tollgate/tollgate.sock";

fn deployed(name: &str) -> String {
    let path = format!("{}/deploy/examples/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(path).expect("a file of deploy/examples")
}

/// An nginx that serves what the example says, with Tollgate at `socket`. It ends with what is returned.
fn nginx(directory: &TempDir, socket: &str) -> (Process, Client) {
    let here = directory.path().display();
    let (listen, location) = (port::free(), deployed("nginx.conf").replace(SOCKET, socket));
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let text = format!(
        "{user} daemon off; worker_processes 1; pid {here}/pid; error_log stderr; events {{ }} http {{ \
         access_log off; client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c; \
         uwsgi_temp_path {here}/d; scgi_temp_path {here}/e; server {{ listen 127.0.0.1:{listen};\n{location}\n}} }}"
    );
    let path = directory.path().join("nginx.conf");
    fs::write(&path, text).expect("a configuration");
    let program = ["/usr/sbin/nginx", "nginx"].into_iter();
    let program = program.clone().find(|it| fs::exists(it).unwrap_or(false)).unwrap_or("nginx");
    let mut command = Command::new(program);
    command.arg("-e").arg("stderr").arg("-c").arg(path);
    let process = Process::start(command).with_children();
    until("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", listen)).is_ok());
    (process, Client::of(format!("http://127.0.0.1:{listen}")))
}

#[test]
#[ignore = "make test-real"]
fn nginx_says_who_a_client_is_and_clients_do_not() {
    let directory = TempDir::with_prefix("tollgate-nginx-").expect("a directory");
    let socket = directory.path().join("tollgate.sock");
    let path = directory.path().join("tollgate.toml");
    // A longer window, so that none ends meanwhile.
    let text = deployed("nginx.toml").replace("10/minute", "10/52 weeks");
    fs::write(&path, text).expect("a configuration");
    let admin = format!("127.0.0.1:{}", port::free());
    let options = Options::default().flag("--config", path.to_str().expect("text"));
    let options = options.set("store.url", "memory:").set("admin.listen", &admin);
    let _tollgate = options.serve_unix(&socket);
    let (_nginx, client) = nginx(&directory, socket.to_str().expect("text"));
    for left in (0..10).rev() {
        // Whatever a client claims, nginx appends where it came from.
        let claimed = format!("203.0.113.{left}");
        let response = client.get("/api/data", &[("x-forwarded-for", claimed.as_bytes())]);
        assert_eq!(response.status, 200, "{}", response.body);
        let field = response.header("ratelimit").expect("fields pass through nginx");
        assert!(field.starts_with(&format!("\"default\";r={left};t=")), "{field}");
    }
    let response = client.get("/api/data", &[]);
    assert_eq!(response.status, 429);
    assert!(response.header("retry-after").is_some());
    let stands = Client::of(format!("http://{admin}")).get("/v1/keys?key=ip:127.0.0.1", &[]).body;
    assert!(stands.contains("\"used\":10"), "{stands}");
}
