//! The sections `[server]` and `[admin]`.

use super::proxy_protocol::proxy_protocol;
use crate::app::auth::{KeyDigest, KeyDigestError};
use crate::app::config::error::ConfigError;
use crate::app::config::leaf::Leaf;
use crate::app::config::listen::Listen;
use crate::app::config::options::AdminOptions;
use crate::app::config::section::Section;
use crate::app::config::server::{ConnectionLimits, ServerOptions};

/// An hour, in milliseconds.
const HOUR: u64 = 3_600_000;

/// The framework's own limits: workers of a server, and bytes and fields of a head.
const MOST_WORKERS: u32 = 512;
const MOST_HEAD_BYTES: u32 = 131_071;
const MOST_HEADERS: u32 = 96;

pub(super) fn server(section: &mut Section) -> ServerOptions {
    let default = ServerOptions::default();
    ServerOptions {
        listen: section.get("listen", default.listen, |leaf| {
            leaf.parse("host:port or unix:/path", str::parse)
        }),
        proxy_protocol: proxy_protocol(section),
        workers: section.get("workers", default.workers, |leaf| leaf.size(0..=MOST_WORKERS)),
        backlog: section.get("backlog", default.backlog, |leaf| {
            leaf.number(1..=65_535).map(|number| i32::try_from(number).unwrap_or(i32::MAX))
        }),
        max_connections: max_connections(section, default.max_connections),
        max_connections_per_ip: section.get(
            "max_connections_per_ip",
            default.max_connections_per_ip,
            |leaf| leaf.size(1..=1_000_000),
        ),
        limits: limits(section),
        shutdown_delay: section
            .get("shutdown_delay_ms", default.shutdown_delay, |leaf| leaf.millis(0..=HOUR)),
        shutdown_timeout: section
            .get("shutdown_timeout_ms", default.shutdown_timeout, |leaf| leaf.millis(0..=HOUR)),
    }
}

fn limits(section: &mut Section) -> ConnectionLimits {
    let default = own_limits(section, ConnectionLimits::default());
    ConnectionLimits {
        write_timeout: section
            .get("write_timeout_ms", default.write_timeout, |leaf| leaf.millis(100..=HOUR)),
        max_age: section.get("max_connection_age_ms", default.max_age, |leaf| {
            leaf.millis(1_000..=366 * 24 * HOUR)
        }),
        max_head_bytes: section.get("max_head_bytes", default.max_head_bytes, |leaf| {
            leaf.size(1_024..=MOST_HEAD_BYTES)
        }),
        max_headers: section
            .get("max_headers", default.max_headers, |leaf| leaf.size(1..=MOST_HEADERS)),
        ..default
    }
}

/// The limits of a connection that each listener for requests has of its own. The others are those of `default`.
pub(super) fn own_limits(section: &mut Section, default: ConnectionLimits) -> ConnectionLimits {
    ConnectionLimits {
        header_timeout: section
            .get("header_timeout_ms", default.header_timeout, |leaf| leaf.millis(100..=HOUR)),
        body_timeout: section
            .get("body_timeout_ms", default.body_timeout, |leaf| leaf.millis(100..=HOUR)),
        keep_alive: section
            .get("keep_alive_ms", default.keep_alive, |leaf| leaf.millis(0..=24 * HOUR)),
        max_body_bytes: section
            .get("max_body_bytes", default.max_body_bytes, |leaf| leaf.number(0..=1 << 40)),
        ..default
    }
}

/// How many connections a listener may have open at a time.
pub(super) fn max_connections(section: &mut Section, default: usize) -> usize {
    section.get("max_connections", default, |leaf| leaf.size(1..=1_000_000))
}

pub(super) fn admin(section: &mut Section) -> AdminOptions {
    let hosts = section.list("hosts", "host names");
    let token = section.get("token_sha256", None, digest);
    let read_token = section.get("read_token_sha256", None, digest);
    let needs = "expected admin.token_sha256, which `tollgate keys token` makes, or an address such \
                 as 127.0.0.1:8081";
    AdminOptions { listen: listen(section, token.is_some(), needs), hosts, token, read_token }
}

/// The address of a listener that is off until it is set. Others than this machine may only reach it if it
/// `knows_callers`; `needs` says how to get there.
pub(super) fn listen(section: &mut Section, knows_callers: bool, needs: &str) -> Option<Listen> {
    let address = section.take("listen")?;
    let listen = section.note(address.parse("host:port or unix:/path", str::parse));
    let listen: Option<Listen> = listen;
    if !knows_callers && listen.as_ref().is_some_and(|listen| !listen.is_on_this_machine()) {
        let message = format!("others than this machine reach it, so it needs a token: {needs}");
        section.note::<()>(Err(address.refuse(message)));
    }
    listen
}

/// The digest of a token. Messages do not show a wrong one, which may be the token itself.
pub(super) fn digest(leaf: &Leaf) -> Result<Option<KeyDigest>, ConfigError> {
    leaf.text()?.parse().map(Some).map_err(|error: KeyDigestError| leaf.refuse(error))
}
