//! The servers that are abused.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tollgate_testkit::port::free_address;
use tollgate_testkit::process::{Process, bound, without_settings};

use super::files::Files;
use super::phases::{BLOCKED, USED_UP};
use crate::result::Result;

/// How many files a server may open when it starts, as most systems have it for a service.
const SOFT_LIMIT: u64 = 1_024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Tollgate,
    Nginx,
}

/// One of them, serving.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) process: Process,
    pub(super) app: SocketAddr,
    pub(super) admin: Option<SocketAddr>,
}

impl Which {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tollgate => "tollgate",
            Self::Nginx => "nginx",
        }
    }

    /// What tells it to stop when the requests under way are answered.
    pub(super) fn stop_signal(self) -> Signal {
        match self {
            Self::Tollgate => Signal::TERM,
            Self::Nginx => Signal::QUIT,
        }
    }
}

/// The settings of Tollgate that are not the defaults, one line each.
pub(super) fn settings(app: SocketAddr, admin: SocketAddr, redis: &str, files: &Files) -> String {
    let connections = files.max_connections_if_fewer().map_or(String::new(), |most| {
        format!("max_connections = {most}\nmax_connections_per_ip = {}\n", most / 10)
    });
    format!(
        "[server]\nlisten = \"{app}\"\n{connections}\n\
         [admin]\nlisten = \"{admin}\"\n\n\
         [store]\nurl = \"{redis}\"\n\n\
         [access]\nblock = [\"{BLOCKED}\"]\n\n\
         [policies.default]\nquota = \"1000000/hour\"\n\n\
         [policies.used-up]\nquota = \"1/day\"\n\n\
         [routes.\"{USED_UP}\"]\npolicies = [\"used-up\"]\n"
    )
}

/// Starts Tollgate, the command at `program`.
pub(super) fn tollgate(
    program: &Path,
    directory: &Path,
    redis: &str,
    files: &Files,
) -> Result<Served> {
    let (app, admin) = (free_address(), free_address());
    let file = directory.join("tollgate.toml");
    fs::write(&file, settings(app, admin, redis, files))?;
    let mut command = limited(&fs::canonicalize(program)?);
    command.args(["serve", "--config"]).arg(file).current_dir(directory);
    without_settings(&mut command);
    let mut process = Process::start(command);
    process.until_it_listens(app);
    Ok(Served { process, app, admin: Some(admin) })
}

/// Where nginx is, if it is.
pub(super) fn nginx_program() -> Option<&'static Path> {
    ["/usr/sbin/nginx", "nginx"].map(Path::new).into_iter().find(|program| {
        Command::new(program).arg("-v").output().is_ok_and(|output| output.status.success())
    })
}

/// Starts nginx, with the limits that it has in common with Tollgate at Tollgate's defaults, and an
/// answer of the same length.
pub(super) fn nginx(program: &Path, directory: &Path, files: &Files) -> Result<Served> {
    let app = free_address();
    let here = directory.display();
    let connections = files.max_connections();
    let cores = std::thread::available_parallelism()?.get();
    let text = format!(
        r#"
daemon off;
pid {here}/nginx.pid;
error_log {here}/nginx-errors.log crit;
worker_processes {cores};
worker_rlimit_nofile {files};
worker_shutdown_timeout 30s;
events {{ worker_connections {per_worker}; }}
http {{
    access_log off;
    client_body_temp_path {here}/nginx-1;
    proxy_temp_path {here}/nginx-2;
    fastcgi_temp_path {here}/nginx-3;
    uwsgi_temp_path {here}/nginx-4;
    scgi_temp_path {here}/nginx-5;
    client_header_timeout 10s;
    client_body_timeout 20s;
    keepalive_timeout 75s;
    keepalive_requests 1000000;
    send_timeout 30s;
    lingering_time 1s;
    lingering_timeout 1s;
    large_client_header_buffers 4 8k;
    client_max_body_size 1m;
    limit_conn_zone $binary_remote_addr zone=connections:10m;
    limit_req_zone $server_name zone=used-up:1m rate=1r/m;
    limit_conn connections {per_address};
    limit_conn_status 429;
    limit_req_status 429;
    add_header RateLimit-Policy '"default";q=1000000;w=3600';
    add_header RateLimit '"default";r=999999;t=3600';
    server {{
        listen {app} backlog=1024;
        deny {BLOCKED};
        location = /api/data {{ empty_gif; }}
        location = {USED_UP} {{ limit_req zone=used-up; empty_gif; }}
    }}
}}
"#,
        files = files.limit(),
        per_worker = connections.div_ceil(cores),
        per_address = connections / 10,
    );
    let file = directory.join("nginx.conf");
    fs::write(&file, text)?;
    let mut command = limited(program);
    command.arg("-c").arg(file).arg("-p").arg(directory);
    let mut process = Process::start(command).with_children();
    process.until_it_listens(app);
    Ok(Served { process, app, admin: None })
}

/// A command with the soft limit of files that services have.
fn limited(program: &Path) -> Command {
    let mut command = bound(Path::new("prlimit"));
    command.arg(format!("--nofile={SOFT_LIMIT}:")).arg("--").arg(program);
    command
}

/// How often each limit of Tollgate's acted so far, by the setting that it is from; none where that
/// cannot be had.
pub(super) fn acted(admin: SocketAddr) -> Vec<(String, u64)> {
    let text = metrics(admin).unwrap_or_default();
    let prefix = "tollgate_connection_limits_total{listener=\"server\",setting=\"";
    let lines = text.lines().filter_map(|line| line.strip_prefix(prefix)?.split_once("\"} "));
    let limits = lines.filter_map(|(name, times)| Some((name.to_owned(), times.parse().ok()?)));
    limits.collect()
}

fn metrics(admin: SocketAddr) -> Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
