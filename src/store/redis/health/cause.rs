//! Why a server does not count, and what to do about it: the one place that says so.

use std::error::Error;
use std::{fmt, io};

use redis::{ErrorKind, RedisError, ServerErrorKind};

use self::table::TABLE;
use crate::store::redis::connect::target::{NOT_NAMED, NOT_YET};
use crate::store::redis::connect::tls_mismatch::{Misdirected, io_error};
use crate::store::redis::recovery::probe::NoTime;
use crate::store::{StoreError, StoreErrorKind};

mod table;
#[cfg(feature = "tls")]
mod tls;

/// Why calls fail, as far as their errors tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Unreachable,
    Lost,
    Silent,
    Slow,
    Password,
    NoPassword,
    Loading,
    Full,
    ReadOnly,
    NoPrimary,
    NotSaved,
    NoReplicas,
    Busy,
    Clients,
    Cluster,
    ClusterDown,
    NoCluster,
    Database,
    Command,
    Unnamed,
    WithTls,
    WithoutTls,
    TlsSilent,
    TlsUntrusted,
    TlsExpired,
    TlsEarly,
    TlsName,
    TlsAuthority,
    TlsVersion,
    TlsPurpose,
    TlsForm,
    TlsUnshown,
    TlsRefused,
    TlsTerms,
    Tls,
    Permission,
    Time,
    Other,
}

impl Cause {
    pub(crate) fn of(error: &StoreError) -> Self {
        let source = error.source();
        if source.is_some_and(|it| it.is::<NoTime>()) {
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

    /// Of what TLS says in an error of the system, or what says that one side does not speak it.
    fn of_io(error: &io::Error) -> Option<Self> {
        match Misdirected::of(error) {
            Some(Misdirected::WithoutTls) => return Some(Self::WithoutTls),
            #[cfg(feature = "tls")]
            Some(Misdirected::Unanswered) => return Some(Self::TlsSilent),
            #[cfg(feature = "tls")]
            Some(Misdirected::WithTls) => return Some(Self::WithTls),
            None => {}
        }
        #[cfg(feature = "tls")]
        return tls::cause(error.get_ref()?);
        #[cfg(not(feature = "tls"))]
        None
    }

    /// Of an error that the server itself answered with.
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
            // To a client, and to a script.
            _ if detail.contains("unknown command") || detail.contains("unknown subcommand") => {
                Self::Command
            }
            _ if detail.contains("Unknown Redis command") => Self::Command,
            // The script is longer than what a stranger may send.
            _ if detail.contains("unauthenticated bulk length") => Self::NoPassword,
            // What a script is refused, from 7.0 on; and until then.
            _ if detail.contains("The user executing the script can't") => Self::Permission,
            _ if detail.contains("has no permissions") => Self::Permission,
            _ => Self::Other,
        }
    }

    /// In a few words.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// What the log says of the server: "it …".
    pub(crate) fn says(self) -> &'static str {
        self.row().2
    }

    /// What to do, as a sentence.
    pub(crate) fn remedy(self) -> &'static str {
        self.row().3
    }

    /// Whether the words of the system, the server or TLS say more than these.
    fn wants_more(self) -> bool {
        use Cause::{Other, Tls, TlsForm, TlsName, TlsRefused, TlsTerms, Unreachable};
        matches!(self, Unreachable | Other | Tls | TlsForm | TlsName | TlsRefused | TlsTerms)
    }

    /// As a number that an atomic holds; never 0.
    pub(crate) fn code(self) -> u8 {
        self as u8 + 1
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        TABLE.get(usize::from(code.checked_sub(1)?)).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        &TABLE[self as usize]
    }
}

/// Whether it is the sentinels that are of no help.
fn is_unnamed(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains(NOT_NAMED) || text.contains(NOT_YET)
}

/// What an error says of its server, with the words of the system or the server where those of the
/// table do not say it all.
pub(crate) struct Says<'a>(pub(crate) &'a StoreError);

impl fmt::Display for Says<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = Cause::of(self.0);
        let says = cause.says();
        match (self.0.source(), says.strip_suffix(')')) {
            (Some(source), Some(open)) if cause.wants_more() => write!(f, "{open}: {source})"),
            (Some(source), None) if cause.wants_more() => write!(f, "{says} ({source})"),
            _ => f.write_str(says),
        }
    }
}

#[cfg(test)]
mod tests;
