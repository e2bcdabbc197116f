//! One side speaks TLS and the other does not: that is told from a server that is away.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redis::RedisError;

/// That one side speaks TLS and the other does not, as an [`io::Error`] carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// A server that takes TLS was asked without.
    WithoutTls,
    /// A server was greeted by TLS, and said nothing until the time was over.
    #[cfg(feature = "tls")]
    Unanswered,
    /// A server that speaks no TLS was greeted by it.
    #[cfg(feature = "tls")]
    WithTls,
}

impl Misdirected {
    pub(crate) fn as_error(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }

    /// What `error` carries.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// The error of the system that lies in `error`, if one does. The crate of Redis hands it on in what it
/// shares it by.
pub(crate) fn io_error(error: &RedisError) -> Option<&io::Error> {
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    shared.downcast_ref()
}

impl fmt::Display for Misdirected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutTls => "the server takes TLS, and was asked without",
            #[cfg(feature = "tls")]
            Self::Unanswered => "the server said nothing to a greeting by TLS",
            #[cfg(feature = "tls")]
            Self::WithTls => "the server speaks no TLS, and was greeted by it",
        })
    }
}

impl Error for Misdirected {}

#[cfg(feature = "tls")]
pub(super) use self::with_tls::explain;

#[cfg(feature = "tls")]
mod with_tls {
    use std::io::{self, Read as _, Write as _};
    use std::time::Instant;

    use redis::{ConnectionAddr, RedisError};

    use super::{Misdirected, io_error};
    use crate::store::redis::connect::socket::{left_until, tcp};
    use crate::store::redis::connect::target::Server;
    use crate::store::redis::connect::tls::RedisTls;

    /// What lies behind `error` of a connect to one of `servers`, where that can be found out by
    /// `deadline`: a Redis that takes TLS alone hangs up on who speaks without, and one that takes none
    /// waits for more. Neither says why.
    pub(crate) fn explain(servers: &[Server], error: RedisError, deadline: Instant) -> RedisError {
        let system = io_error(&error);
        let has_hung_up = error.is_connection_dropped() && !error.is_connection_refusal();
        if has_hung_up && servers.iter().any(|server| takes_tls(server, deadline)) {
            return Misdirected::WithoutTls.as_error(io::ErrorKind::ConnectionAborted).into();
        }
        let was_silent = system.and_then(Misdirected::of) == Some(Misdirected::Unanswered);
        if was_silent && servers.iter().any(|it| speaks_plain(it, deadline).unwrap_or(false)) {
            return Misdirected::WithTls.as_error(io::ErrorKind::InvalidData).into();
        }
        error
    }

    /// Whether `server` answers to TLS, though its URL is one without.
    fn takes_tls(server: &Server, deadline: Instant) -> bool {
        let ConnectionAddr::Tcp(host, port) = server.info().addr() else { return false };
        let tcp = tcp(host, *port, server.idle_timeout(), deadline).ok();
        let client = RedisTls::default().client().ok();
        tcp.zip(client).is_some_and(|(tcp, client)| client.is_understood(host, tcp, deadline))
    }

    /// Whether `server` answers as Redis does without TLS, though its URL is one with.
    fn speaks_plain(server: &Server, deadline: Instant) -> io::Result<bool> {
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
}
