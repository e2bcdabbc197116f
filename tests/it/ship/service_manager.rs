//! What a service manager is told, as systemd's `Type=notify` wants it.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::process::{Options, Tollgate};

const GOOD: &str = "[policies.default]\nquota = \"5/minute\"\n";
const IN_FORCE: &str = "of the configuration is in force.";

/// The end of a service manager.
struct Manager {
    directory: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn new() -> Self {
        let directory = TempDir::with_prefix("tollgate-notify-").expect("a directory");
        let socket = UnixDatagram::bind(directory.path().join("socket")).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        Self { directory, socket }
    }

    fn serve(&self, config: &str) -> Tollgate {
        let path = self.directory.path().join("socket");
        let path = path.to_str().expect("a path of text");
        let options = Options::default().config(config).set("store.url", "memory:");
        options.env("NOTIFY_SOCKET", path).serve()
    }

    /// The next message, as lines.
    fn message(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("a message");
        let text = str::from_utf8(&bytes[..length]).expect("text");
        text.lines().map(str::to_owned).collect()
    }
}

#[test]
fn it_says_when_it_serves_reloads_and_stops() {
    let manager = Manager::new();
    let mut tollgate = manager.serve(GOOD);
    assert_eq!(manager.message(), ["READY=1", &format!("STATUS=Generation 1 {IN_FORCE}")]);

    tollgate.signal(Signal::HUP);
    let reloading = manager.message();
    assert_eq!(reloading[0], "RELOADING=1");
    // By the clock that the service manager compares it with.
    let at = reloading[1].strip_prefix("MONOTONIC_USEC=").expect("when it began");
    assert!(at.parse::<u64>().is_ok_and(|it| it > 0), "{at}");
    assert_eq!(manager.message(), ["READY=1", &format!("STATUS=Generation 2 {IN_FORCE}")]);

    tollgate.signal(Signal::TERM);
    assert_eq!(manager.message(), ["STOPPING=1"]);
    assert!(tollgate.wait().success());
}

#[test]
fn a_configuration_that_is_refused_ends_the_reload_too_and_stands_in_the_status() {
    let manager = Manager::new();
    let tollgate = manager.serve(GOOD);
    manager.message();
    tollgate.rewrite_config("[policies.default]\nquota = \"lots\"\n");
    let refused = "STATUS=The configuration is refused: generation 1 stays in force.";
    assert_eq!(manager.message(), [refused]);
    tollgate.rewrite_config(GOOD);
    assert_eq!(manager.message(), [format!("STATUS=Generation 1 {IN_FORCE}")]);
}

#[test]
fn a_service_manager_that_is_gone_is_a_warning() {
    let options = Options::default().set("store.url", "memory:");
    let mut tollgate = options.env("NOTIFY_SOCKET", "/nonexistent/socket").serve();
    tollgate.wait_for_line("The service manager cannot be told how this process stands: ");
    assert_eq!(tollgate.get("/api/status", &[]).status, 200);
}
