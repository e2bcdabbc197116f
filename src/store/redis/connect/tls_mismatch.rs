//! An error that says that only one of the two sides speaks TLS.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redis::RedisError;

/// One side speaks TLS and the other does not. An [`io::Error`] carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMismatch {
    /// The server takes TLS, and the client spoke without.
    ClientWithout,
    /// The server did not answer a greeting by TLS in time.
    #[cfg(feature = "tls")]
    ServerSilent,
    /// The server speaks no TLS, and the client greeted it by TLS.
    #[cfg(feature = "tls")]
    ServerWithout,
}

impl TlsMismatch {
    pub(crate) fn as_error(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }

    /// The mismatch that `error` carries, if it does.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// The error of the operating system inside `error`, if there is one. redis-rs wraps it in an `Arc`.
pub(crate) fn io_error(error: &RedisError) -> Option<&io::Error> {
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    shared.downcast_ref()
}

impl fmt::Display for TlsMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClientWithout => "the server takes TLS, and was asked without",
            #[cfg(feature = "tls")]
            Self::ServerSilent => "the server said nothing to a greeting by TLS",
            #[cfg(feature = "tls")]
            Self::ServerWithout => "the server speaks no TLS, and was greeted by it",
        })
    }
}

impl Error for TlsMismatch {}
