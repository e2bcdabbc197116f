//! HAProxy, run from `deploy/haproxy`.

use std::process::Command;

use tollgate_testkit::process::Process;

use super::site::Place;

pub(super) fn start(place: &Place<'_>) -> Process {
    // Names of abstract sockets are shared by the whole machine.
    let way = format!("abns@tollgate-{}", place.site.port());
    let lua = place.deployed("haproxy/tollgate.lua").replace("abns@tollgate", &way);
    let lua = place.write("tollgate.lua", &lua);
    let text = place.deployed("haproxy/haproxy.cfg").replace("abns@tollgate", &way);
    let text = text.replace("/etc/haproxy/tollgate.lua", &lua);
    let text = text.replace("bind :80", &format!("bind {}", place.site));
    let path = place.write("haproxy.cfg", &text);
    let program = ["/usr/sbin/haproxy", "haproxy"].into_iter();
    let program = program.clone().find(|it| std::fs::exists(it).unwrap_or(false));
    let mut command = Command::new(program.unwrap_or("haproxy"));
    command.args(["-db", "-f", &path]);
    Process::start(command)
}
