//! Caddy, run from `deploy/caddy`.

use std::process::Command;

use tollgate_testkit::process::Process;

use super::site::Place;

pub(super) fn start(place: &Place<'_>) -> Process {
    let site = place.deployed("caddy/Caddyfile");
    let address = format!("http://:{} {{\n\tbind 127.0.0.1", place.site.port());
    let site = site.replace("http://localhost:80 {", &address);
    // Nothing of it is an operator's to see or to change.
    let text = format!("{{\n\tadmin off\n}}\n{site}\n");
    let path = place.write("Caddyfile", &text);
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config", &path]);
    for variable in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(variable, place.directory);
    }
    Process::start(command)
}
