//! What the server logs if it cannot start, and what it tells the service manager.

use std::net::TcpListener;
use std::process::Command;

use super::*;

#[test]
fn workers_have_a_bound_that_is_true() {
    let most = memory().set("server.workers", "512").serve();
    assert_eq!(most.get("/api/status", &[]).status, 200);
    for workers in ["513", "1024", "100000", "-1"] {
        let ended = memory().set("server.workers", workers).run(&["serve"]);
        assert_eq!(ended.status.code(), Some(78));
        let said = format!(
            "tollgate: server.workers: expected a whole number from 0 to 512, got {workers} (from the command line)\n"
        );
        assert_eq!(ended.stderr.replace('"', ""), said);
    }
}

#[test]
fn an_address_that_is_taken_is_all_that_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let free = format!("127.0.0.1:{}", port::free());
    for (app, admin) in [(&address, &free), (&free, &address)] {
        let options = memory().set("server.listen", app).set("admin.listen", admin);
        let ended = options.set("server.workers", "512").run(&["serve"]);
        assert_eq!(ended.status.code(), Some(1));
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        let begins = format!("tollgate: cannot listen on {address}: Address already in use");
        assert!(ended.stderr.starts_with(&begins), "{}", ended.stderr);
    }
}

#[test]
fn the_system_is_told_of_the_backlog() {
    let stand = Stand::with(&[("backlog", "7")]);
    for port in [stand.port, stand.admin_port] {
        let listening = Command::new("ss").args(["-ltnH", &format!("sport = :{port}")]).output();
        // Where that command is not installed nobody can tell.
        let Ok(listening) = listening else { continue };
        let listening = String::from_utf8(listening.stdout).expect("text");
        // State, what waits to be accepted, and how much may.
        let columns: Vec<_> = listening.split_whitespace().take(3).collect();
        assert_eq!(columns, ["LISTEN", "0", "7"]);
    }
    assert_eq!(stand.dial().ask(GET).status, 200);
}
