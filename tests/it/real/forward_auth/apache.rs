//! Apache, run from `deploy/apache`.

use std::process::Command;

use tollgate_testkit::process::Process;

use super::site::Place;

const MODULES: &str = "/usr/lib/apache2/modules";

/// The modules that the comment of the configuration names, and those that every Apache has.
const LOADED: [&str; 6] = ["mpm_event", "authz_core", "headers", "lua", "proxy", "proxy_http"];

pub(super) fn start(place: &Place<'_>) -> Process {
    let here = place.directory.display();
    let lua = place.write("tollgate.lua", &place.deployed("apache/tollgate.lua"));
    let host = place.deployed("apache/tollgate.conf").replace("/etc/apache2/tollgate.lua", &lua);
    let modules =
        LOADED.map(|it| format!("LoadModule {it}_module {MODULES}/mod_{it}.so\n")).concat();
    // As root it serves as another user.
    let user =
        if rustix::process::geteuid().is_root() { "User www-data\nGroup www-data\n" } else { "" };
    let text = format!(
        "ServerRoot {here}\nPidFile {here}/pid\nMutex posixsem\nErrorLog /dev/stderr\nListen {}\nServerName localhost\n\
         {modules}{user}<VirtualHost *>\n{host}\n</VirtualHost>\n",
        place.site
    );
    let path = place.write("apache2.conf", &text);
    let program = ["/usr/sbin/apache2", "apache2", "httpd"].into_iter();
    let program = program.clone().find(|it| std::fs::exists(it).unwrap_or(false));
    let mut command = Command::new(program.unwrap_or("apache2"));
    command.args(["-DFOREGROUND", "-f", &path]);
    Process::start(command).with_children()
}
