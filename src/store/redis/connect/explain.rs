//! Finds out why a connect failed, where an error of the network alone does not tell.

use std::io::{self, Read as _, Write as _};
use std::time::Instant;

use redis::{ConnectionAddr, RedisError};

use super::server::Server;
use super::socket::tcp;
use super::time_limit::left_until;
use super::tls::RedisTls;
use super::tls_mismatch::{TlsMismatch, io_error};

/// Finds out by `deadline` whether a connect to one of `servers` failed with `error` because only one
/// side speaks TLS. Otherwise the answer is `error` itself.
///
/// A Redis that takes only TLS hangs up on a client without, and a Redis without TLS waits for more of
/// what it takes for a command. Neither of them says why.
pub(super) fn explain(servers: &[Server], error: RedisError, deadline: Instant) -> RedisError {
    let has_hung_up = error.is_connection_dropped() && !error.is_connection_refusal();
    if has_hung_up && servers.iter().any(|server| takes_tls(server, deadline)) {
        return TlsMismatch::ClientWithout.as_error(io::ErrorKind::ConnectionAborted).into();
    }
    let mismatch = io_error(&error).and_then(TlsMismatch::of);
    let was_silent = mismatch == Some(TlsMismatch::ServerSilent);
    if was_silent && servers.iter().any(|it| answers_without_tls(it, deadline).unwrap_or(false)) {
        return TlsMismatch::ServerWithout.as_error(io::ErrorKind::InvalidData).into();
    }
    error
}

/// Whether `server`, whose URL is one without TLS, answers a greeting by TLS.
fn takes_tls(server: &Server, deadline: Instant) -> bool {
    let ConnectionAddr::Tcp(host, port) = server.info().addr() else { return false };
    let tcp = tcp(host, *port, server.idle_timeout(), deadline).ok();
    let client = RedisTls::default().client().ok();
    tcp.zip(client).is_some_and(|(tcp, client)| client.is_understood(host, tcp, deadline))
}

/// Whether `server`, whose URL is one with TLS, answers without TLS as Redis does.
fn answers_without_tls(server: &Server, deadline: Instant) -> io::Result<bool> {
    let ConnectionAddr::TcpTls { host, port, .. } = server.info().addr() else {
        return Ok(false);
    };
    let mut tcp = tcp(host, *port, server.idle_timeout(), deadline)?;
    tcp.set_write_timeout(Some(left_until(deadline)?))?;
    tcp.write_all(b"PING\r\n")?;
    tcp.set_read_timeout(Some(left_until(deadline)?))?;
    let mut first = [0];
    tcp.read_exact(&mut first)?;
    Ok(matches!(first, [b'+' | b'-']))
}
