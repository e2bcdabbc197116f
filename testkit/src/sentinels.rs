//! A primary, a replica, and three sentinels that watch them.

use std::fs;

use tempfile::TempDir;

use crate::certificates::Certified;
use crate::redis::Server;
use crate::threads::until;

/// What the sentinels call the primary.
pub const NAME: &str = "limits";

/// All of them; each ends on drop.
#[derive(Debug)]
pub struct Watched {
    /// The primary, and its replica.
    pub servers: [Server; 2],
    sentinels: Vec<Server>,
    scheme: &'static str,
    _files: TempDir,
}

impl Watched {
    /// Everyone knows everyone when this returns.
    pub fn start() -> Self {
        Self::of(None)
    }

    /// The same by TLS alone, among themselves, too.
    pub fn certified(tls: &Certified<'_>) -> Self {
        Self::of(Some(tls))
    }

    fn of(tls: Option<&Certified<'_>>) -> Self {
        let options = ["--repl-diskless-sync-delay", "0"];
        let primary = Server::certified(tls, &options);
        let address = primary.port().to_string();
        let of_primary = ["--replicaof", "127.0.0.1", &address];
        let replica = Server::certified(tls, &[&options[..], &of_primary].concat());
        until("the replica follows", || {
            says(&replica, "INFO", "replication", "master_link_status:up")
        });

        let files = TempDir::with_prefix("tollgate-sentinels-").expect("a temporary directory");
        let sentinels: Vec<Server> = (0..3)
            .map(|number| {
                let path = files.path().join(format!("sentinel-{number}.conf"));
                let text = format!(
                    "sentinel monitor {NAME} 127.0.0.1 {address} 2\n\
                     sentinel down-after-milliseconds {NAME} 500\n\
                     sentinel failover-timeout {NAME} 5000\n"
                );
                fs::write(&path, text).expect("a file");
                Server::certified(tls, &[path.to_str().expect("text"), "--sentinel"])
            })
            .collect();
        let scheme = if tls.is_some() { "rediss+sentinel" } else { "redis+sentinel" };
        let watched = Self { servers: [primary, replica], sentinels, scheme, _files: files };
        for sentinel in &watched.sentinels {
            until("the sentinels know all", || {
                let known = "status=ok,address=127.0.0.1:";
                says(sentinel, "INFO", "sentinel", known)
                    && says(sentinel, "INFO", "sentinel", "slaves=1,sentinels=3")
            });
        }
        watched
    }

    /// `redis+sentinel://a,b,c/name`, or `rediss+sentinel://a,b,c/name`
    pub fn url(&self) -> String {
        let places: Vec<_> =
            self.sentinels.iter().map(|it| format!("127.0.0.1:{}", it.port())).collect();
        format!("{}://{}/{NAME}", self.scheme, places.join(","))
    }

    /// The sentinels, to be stopped and restarted.
    pub fn sentinels(&mut self) -> &mut [Server] {
        &mut self.sentinels
    }
}

/// Whether what `server` replies to two words holds `text`.
pub fn says(server: &Server, one: &str, other: &str, text: &str) -> bool {
    let reply: String =
        redis::cmd(one).arg(other).query(&mut server.connection()).expect("a reply of text");
    reply.contains(text)
}
