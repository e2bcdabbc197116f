//! Finds out from an error why a server does not count.

use std::error::Error;
use std::{fmt, io};

use redis::{ErrorKind, RedisError, ServerErrorKind};

pub(crate) use self::kind::Cause;
use crate::store::redis::connect::sentinels::{NOT_NAMED, NOT_YET};
use crate::store::redis::connect::tls_mismatch::{TlsMismatch, io_error};
use crate::store::{StoreError, StoreErrorKind};

mod kind;
mod table;
#[cfg(feature = "tls")]
mod tls;

/// The server's scripts may not call `TIME`, without which nothing can be counted.
#[derive(Debug)]
pub(crate) struct TimeRefused;

impl fmt::Display for TimeRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scripts may not call TIME")
    }
}

impl Error for TimeRefused {}

/// The error of an answer that came, but later than it may.
pub(crate) fn too_slow() -> StoreError {
    StoreError::caused_by(StoreErrorKind::TimedOut, "it answers, but too slowly")
}

impl Cause {
    /// The cause of `error`, as far as it tells.
    pub(crate) fn of(error: &StoreError) -> Self {
        let source = error.source();
        if source.is_some_and(|it| it.is::<TimeRefused>()) {
            return Self::Time;
        }
        let source = source.and_then(|it| it.downcast_ref::<RedisError>());
        if let Some(cause) = source.and_then(io_error).and_then(Self::of_io) {
            return cause;
        }
        match (error.kind(), source) {
            (StoreErrorKind::TimedOut, None) if error.source().is_some() => Self::Slow,
            (StoreErrorKind::TimedOut, _) => Self::Silent,
            (_, Some(error)) if !error.is_io_error() => Self::of_reply(error),
            (StoreErrorKind::Lost, _) => Self::Lost,
            (StoreErrorKind::Unreachable, _) => Self::Unreachable,
            _ => Self::Other,
        }
    }

    /// The cause of an error of the operating system, if it is about TLS.
    fn of_io(error: &io::Error) -> Option<Self> {
        match TlsMismatch::of(error) {
            Some(TlsMismatch::ClientWithout) => return Some(Self::WithoutTls),
            #[cfg(feature = "tls")]
            Some(TlsMismatch::ServerSilent) => return Some(Self::TlsSilent),
            #[cfg(feature = "tls")]
            Some(TlsMismatch::ServerWithout) => return Some(Self::WithTls),
            None => {}
        }
        #[cfg(feature = "tls")]
        return tls::cause(error.get_ref()?);
        #[cfg(not(feature = "tls"))]
        None
    }

    /// The cause of an error that the server itself replied with.
    pub(crate) fn of_reply(error: &RedisError) -> Self {
        use ServerErrorKind::{
            Ask, BusyLoading, ClusterDown, CrossSlot, MasterDown, Moved, NoPerm, ReadOnly,
        };
        let detail = error.detail().unwrap_or_default();
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) => Self::Password,
            (ErrorKind::Server(BusyLoading), _) => Self::Loading,
            (ErrorKind::Server(ReadOnly), _) => Self::ReadOnly,
            (ErrorKind::Server(MasterDown), _) => Self::NoPrimary,
            (ErrorKind::Server(Moved | Ask | CrossSlot), _) => Self::Cluster,
            (ErrorKind::Server(ClusterDown), _) => Self::ClusterDown,
            (ErrorKind::Client, _) if is_unnamed(error) => Self::Unnamed,
            (ErrorKind::Server(NoPerm), _) => Self::Permission,
            (_, Some("WRONGPASS")) => Self::Password,
            (_, Some("NOAUTH")) => Self::NoPassword,
            (_, Some("OOM")) => Self::Full,
            (_, Some("MISCONF")) => Self::NotSaved,
            (_, Some("NOREPLICAS")) => Self::NoReplicas,
            (_, Some("BUSY")) => Self::Busy,
            _ if detail.contains("max number of clients") => Self::Clients,
            _ if detail.contains("cluster support disabled") => Self::NoCluster,
            _ if detail.contains("not allowed in cluster mode") => Self::Cluster,
            _ if detail.contains("DB index is out of range") => Self::Database,
            // As it replies to a client, and, below, to a script.
            _ if detail.contains("unknown command") || detail.contains("unknown subcommand") => {
                Self::Command
            }
            _ if detail.contains("Unknown Redis command") => Self::Command,
            // A client that has not signed in may not send anything as long as the script.
            _ if detail.contains("unauthenticated bulk length") => Self::NoPassword,
            // A script may not run a command, as Redis says it from 7.0 on and before.
            _ if detail.contains("The user executing the script can't") => Self::Permission,
            _ if detail.contains("has no permissions") => Self::Permission,
            _ => Self::Other,
        }
    }
}

/// Whether `error` says that the sentinels name no primary.
fn is_unnamed(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains(NOT_NAMED) || text.contains(NOT_YET)
}

/// Prints what an error says of its server. Where the words of the table are not enough, it adds those
/// of the operating system, the server or TLS.
pub(crate) struct Described<'a>(pub(crate) &'a StoreError);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = Cause::of(self.0);
        let description = cause.description();
        match (self.0.source(), description.strip_suffix(')')) {
            (Some(source), Some(open)) if cause.needs_details() => write!(f, "{open}: {source})"),
            (Some(source), None) if cause.needs_details() => write!(f, "{description} ({source})"),
            _ => f.write_str(description),
        }
    }
}

#[cfg(test)]
mod tests;
