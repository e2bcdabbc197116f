//! nginx, run from `deploy/nginx`.

use std::process::Command;

use tollgate_testkit::process::Process;

use super::site::{Place, Proxy, Site, WhenSilent};

pub(super) fn start(place: &Place<'_>) -> Process {
    let here = place.directory.display();
    let server = place.deployed("nginx/tollgate.conf");
    let server = server.replace("listen 80;", &format!("listen {};", place.site));
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let text = format!(
        "{user} daemon off; worker_processes 2; pid {here}/pid; error_log stderr; events {{ }} http {{ \
         access_log off; client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c; \
         uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n{server}\n}}"
    );
    let path = place.write("nginx.conf", &text);
    let program = ["/usr/sbin/nginx", "nginx"].into_iter();
    let program = program.clone().find(|it| std::fs::exists(it).unwrap_or(false));
    let mut command = Command::new(program.unwrap_or("nginx"));
    command.arg("-e").arg("stderr").arg("-c").arg(path);
    Process::start(command).with_children()
}

#[test]
#[ignore = "make test-real"]
fn a_refusal_by_many_policies_fits_into_its_buffer() {
    for (count, has_body) in [(60, true), (120, false)] {
        let names: Vec<String> = (0..count).map(|number| format!("policy-{number}")).collect();
        let of =
            |name: &String| format!("[policies.{name}]\nquota = \"1/52 weeks\"\nkey = \"ip\"\n");
        let policies: String = names.iter().map(of).collect();
        let more = format!("{policies}[routes.\"/all\"]\npolicies = {names:?}\n");
        // If it did not fit, the request would pass.
        let site = Site::with(Proxy::Nginx, WhenSilent::Open, &more);
        assert_eq!(site.get("/all", &[]).status, 200);
        let denied = site.get("/all", &[]);
        assert_eq!(denied.status, 429, "{denied:?}");
        assert_eq!(denied.body.contains("policy-59"), has_body);
        let field = denied.header("ratelimit").expect("where the policies stand");
        assert_eq!(field.split(", ").count(), count);
    }
}

#[test]
#[ignore = "make test-real"]
fn denials_leave_no_line_in_its_log() {
    let mut site = Site::with(Proxy::Nginx, WhenSilent::Closed, "");
    let statuses: Vec<u16> = (0..20).map(|_| site.get("/api/data", &[]).status).collect();
    assert_eq!(statuses[10..], [429; 10]);
    assert_eq!(site.ask(super::site::BLOCKED, "GET", "/api/data", &[], "").status, 403);
    // The first line is then about the gate, which is gone.
    drop(site.tollgate.take());
    assert_eq!(site.get("/api/data", &[]).status, 503);
    site.proxy.until_it_says("connect() failed", 0);
    let first = site.proxy.lines().first().cloned().unwrap_or_default();
    assert!(first.contains("connect() failed"), "{:?}", site.proxy.lines());
}
