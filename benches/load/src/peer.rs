//! What a user would pick instead, as `benches/peers/install.sh` installs it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::setting::Setting;

/// How to start one; `{address}`, `{port}` and `{redis}` stand for themselves.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    program: &'static str,
    arguments: &'static str,
    /// What `wrk` sends.
    dialect: &'static str,
    pub(crate) asks_redis: bool,
}

/// Asked for `/api/data`, as everyone else.
const APP: &str = "data";

/// Asked by gRPC, as Envoy does.
const GRPC: &str = "grpc";

/// Envoy's rate limit service over limitador.
pub(crate) static LIMITADOR: Peer = Peer {
    name: "limitador",
    program: "bin/peers",
    arguments: "limitador {address} {redis}",
    dialect: GRPC,
    asks_redis: true,
};

pub(crate) const PEERS: [Peer; 5] = [
    Peer {
        name: "actix-limitation",
        program: "bin/peers",
        arguments: "actix-limitation {address} {redis}",
        dialect: APP,
        asks_redis: true,
    },
    Peer {
        name: "actix-extensible-rate-limit",
        program: "bin/peers",
        arguments: "actix-extensible-rate-limit {address} {redis}",
        dialect: APP,
        asks_redis: true,
    },
    Peer {
        name: "throttlecrab",
        program: "bin/throttlecrab-server",
        arguments: "--http --http-host 127.0.0.1 --http-port {port} --log-level warn",
        dialect: "throttle",
        asks_redis: false,
    },
    Peer {
        name: "flask-script",
        program: "venv/bin/gunicorn",
        arguments: "--bind {address} --workers 2 flask_script:app",
        dialect: APP,
        asks_redis: true,
    },
    Peer {
        name: "flask-limiter",
        program: "venv/bin/gunicorn",
        arguments: "--bind {address} --workers 2 flask_limiter_app:app",
        dialect: APP,
        asks_redis: true,
    },
];

impl Peer {
    /// What it is sent under `setting`.
    pub(crate) fn dialect_for(&self, setting: &Setting) -> &'static str {
        if self.dialect == GRPC { setting.grpc_dialect() } else { self.dialect }
    }

    /// Whether it is there.
    pub(crate) fn is_installed(&self, directory: &Path) -> bool {
        directory.join(self.program).exists()
    }

    /// What starts it, by way of `program`, out of the directory that it is installed in.
    pub(crate) fn command(
        &self,
        installed: &Path,
        address: SocketAddr,
        redis: &str,
        program: impl Fn(&Path) -> Command,
    ) -> Command {
        let mut command = program(&installed.join(self.program));
        let values = [
            ("{address}", address.to_string()),
            ("{port}", address.port().to_string()),
            ("{redis}", redis.to_owned()),
        ];
        for word in self.arguments.split(' ') {
            let value = values.iter().find(|(name, _)| *name == word);
            command.arg(value.map_or(word, |(_, value)| value));
        }
        command.current_dir(installed).env("REDIS_URL", redis);
        command
    }
}
