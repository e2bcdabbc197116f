//! The walk to a Redis that takes TLS, command by command.

use std::env;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::commands::shell;
use super::page::{Page, Step};
use super::shown::is_alike;
use crate::support::port;
use crate::support::threads::until;

/// A server that a shell started, ended on drop.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().expect("a child can be ended");
        self.0.wait().expect("an ended child");
    }
}

/// Begins a command that the page puts into the background.
fn begin(command: &str, directory: &Path) -> Ended {
    let command = command.strip_suffix(" &").expect("a command in the background");
    // Where there is no other, it is Valkey's.
    let server = command.replacen(
        "redis-server",
        "$(command -v redis-server || command -v valkey-server)",
        1,
    );
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec {server} --daemonize no")).current_dir(directory);
    shell.env_clear().env("PATH", env::var_os("PATH").expect("a path")).stdout(Stdio::null());
    Ended(shell.spawn().expect("a shell"))
}

#[test]
fn a_certificate_that_openssl_makes_will_do() {
    let page = Page::named("docs/src/redis.md");
    let steps = page.steps();
    let first = steps.iter().position(|step| step.command.starts_with("openssl ")).expect("it");
    let free = port::free().to_string();
    let command = |step: &Step| step.command.replace("6390", &free);
    let directory = tempfile::tempdir().expect("a temporary directory");

    let made = shell(&command(&steps[first]), directory.path());
    assert!(made.status.success(), "{made:?}");
    let _server = begin(&command(&steps[first + 1]), directory.path());
    let connect = command(&steps[first + 2]);
    // What it says of the store, by the time limits of a busy machine.
    let examine = |command: &str| {
        let output =
            shell(&format!("TOLLGATE_STORE__TIMEOUT_MS=10000 {command} doctor"), directory.path());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    until("it is reached by TLS", || examine(&connect).contains("\nok    reachable "));

    let plain = examine(&format!("tollgate --set store.url=redis://127.0.0.1:{free}"));
    let blocks = page.blocks("text");
    let shown = blocks.iter().find(|block| block.text.starts_with("fail  reachable")).expect("it");
    assert!(plain.lines().any(|line| is_alike(&shown.text, line)), "{plain}");
}
