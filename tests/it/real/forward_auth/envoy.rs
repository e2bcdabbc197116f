//! Envoy, run from `deploy/envoy/envoy.yaml`.

use std::process::Command;

use tollgate_testkit::process::Process;

use super::site::Place;
use crate::real::envoy::program;

pub(super) fn start(place: &Place<'_>) -> Process {
    let address = format!("127.0.0.1, port_value: {} ", place.site.port());
    let text = place.deployed("envoy/envoy.yaml").replace("0.0.0.0, port_value: 80 ", &address);
    let path = place.write("envoy.yaml", &text);
    let mut command = Command::new(program("envoy/bin/envoy"));
    command.args(["-c", &path, "--disable-hot-restart", "--log-level", "error"]);
    Process::start(command).with_children()
}
