//! Why a server does not count, and what to do about it: the one place that says so.

use std::fmt;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::probe::NoTime;
use super::target::{NOT_NAMED, NOT_YET};
use super::{StoreError, StoreErrorKind};

/// Why calls fail, as far as their errors tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
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
    Tls,
    Permission,
    Time,
    Other,
}

/// What each cause is called in the status, what the log says of the server, and the remedy.
const TABLE: [(Cause, &str, &str, &str); 24] = {
    use Cause::*;
    [
        (
            Unreachable,
            "unreachable",
            "does not answer",
            "Start it, or correct store.url, and see whether a firewall lies between.",
        ),
        (
            Lost,
            "connection lost",
            "does not answer (connections are lost)",
            "See in its log why it closes connections.",
        ),
        (
            Silent,
            "timed out",
            "does not answer (timed out)",
            "See whether it hangs, or raise store.timeout_ms if it is that far away.",
        ),
        (
            Slow,
            "too slow",
            "does not answer in time",
            "See what keeps it busy (SLOWLOG GET), or raise store.timeout_ms.",
        ),
        (
            Password,
            "wrong password",
            "refuses to count (user or password are wrong)",
            "Correct them in store.url.",
        ),
        (
            NoPassword,
            "no password",
            "refuses to count (it wants a password)",
            "Put user and password into store.url.",
        ),
        (
            Loading,
            "loading",
            "refuses to count (it is loading its data)",
            "Wait: it is taken up when it has loaded them.",
        ),
        (
            Full,
            "out of memory",
            "refuses to count (its memory is full)",
            "Raise its maxmemory or remove keys, and keep maxmemory-policy noeviction.",
        ),
        (
            ReadOnly,
            "read-only replica",
            "refuses to count (it is a read-only replica)",
            "Point store.url at the primary.",
        ),
        (
            NoPrimary,
            "replica without primary",
            "refuses to count (it is a replica that has lost its primary)",
            "Point store.url at the primary.",
        ),
        (
            NotSaved,
            "cannot save",
            "refuses to count (it cannot save, and takes no writes until it can)",
            "See its disk and its log, or set stop-writes-on-bgsave-error to no.",
        ),
        (
            NoReplicas,
            "too few replicas",
            "refuses to count (too few replicas follow it)",
            "See INFO replication, or lower its min-replicas-to-write.",
        ),
        (
            Busy,
            "busy with a script",
            "refuses to count (a script of somebody else keeps it busy)",
            "End that script with SCRIPT KILL.",
        ),
        (
            Clients,
            "too many clients",
            "refuses to count (it has too many clients)",
            "Raise its maxclients, or see who holds connections (CLIENT LIST).",
        ),
        (
            Cluster,
            "cluster",
            "refuses to count (it is a node of a cluster)",
            "Write store.url as redis+cluster://, with some of its nodes.",
        ),
        (
            ClusterDown,
            "cluster down",
            "refuses to count (its cluster is down)",
            "See CLUSTER INFO: every slot needs a node, and most primaries must reach each other.",
        ),
        (
            NoCluster,
            "no cluster",
            "refuses to count (it is no node of a cluster)",
            "Write store.url as redis://, with that one server.",
        ),
        (
            Database,
            "no such database",
            "refuses to count (it has no database of that number)",
            "Correct the number at the end of store.url: CONFIG GET databases says how many there are.",
        ),
        (
            Command,
            "missing command",
            "refuses to count (it does not know a command)",
            "See rename-command in its configuration, and that it is a Redis: `tollgate doctor` says what is missing.",
        ),
        (
            Unnamed,
            "no primary named",
            "does not answer (the sentinels name no primary that is one)",
            "Wait for the failover to end, or correct the name in store.url: see SENTINEL MASTERS.",
        ),
        (
            Tls,
            "TLS failed",
            "does not answer (TLS cannot be agreed on)",
            "See that it takes TLS there, that its certificate is valid for the host in store.url, and \
             what store.tls trusts and shows.",
        ),
        (
            Permission,
            "missing permission",
            "refuses to count (its user may not run a command, or not on these keys)",
            "Give the user the permissions that the README lists; `tollgate doctor` says which are missing.",
        ),
        (
            Time,
            "no TIME in scripts",
            "refuses to count (scripts may not call TIME)",
            "Give its user +time, or take a server whose scripts may.",
        ),
        (Other, "error", "refuses to count", "Run `tollgate doctor`, which looks for the reason."),
    ]
};

impl Cause {
    pub(super) fn of(error: &StoreError) -> Self {
        let source = std::error::Error::source(error);
        if source.is_some_and(|it| it.is::<NoTime>()) {
            return Self::Time;
        }
        if is_of_tls(error) {
            return Self::Tls;
        }
        match (error.kind(), source.and_then(|it| it.downcast_ref::<RedisError>())) {
            (StoreErrorKind::TimedOut, None) if source.is_some() => Self::Slow,
            (StoreErrorKind::TimedOut, _) => Self::Silent,
            (_, Some(error)) if !error.is_io_error() => Self::of_reply(error),
            (StoreErrorKind::Lost, _) => Self::Lost,
            (StoreErrorKind::Unreachable, _) => Self::Unreachable,
            _ => Self::Other,
        }
    }

    /// Of an error that the server itself answered with.
    pub(super) fn of_reply(error: &RedisError) -> Self {
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
    pub(super) fn name(self) -> &'static str {
        self.row().1
    }

    /// What the log says of the server: "it …".
    pub(super) fn says(self) -> &'static str {
        self.row().2
    }

    /// What to do, as a sentence.
    pub(super) fn remedy(self) -> &'static str {
        self.row().3
    }

    /// As a number that an atomic holds; never 0.
    pub(super) fn code(self) -> u8 {
        self as u8 + 1
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
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

/// Whether it comes from TLS. The error of rustls lies in one of the system, which the crate of
/// Redis prints and does not hand on.
fn is_of_tls(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|it| it.downcast_ref::<RedisError>());
    source.is_some_and(|error| {
        let text = error.to_string();
        error.is_io_error()
            && ["certificate", "fatal alert", "corrupt message"].iter().any(|it| text.contains(it))
    })
}

/// What an error says of its server, with the words of the system or the server where those of the
/// table do not say it all.
pub(super) struct Says<'a>(pub(super) &'a StoreError);

impl fmt::Display for Says<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = Cause::of(self.0);
        f.write_str(cause.says())?;
        match (cause, std::error::Error::source(self.0)) {
            (Cause::Unreachable | Cause::Tls | Cause::Other, Some(source)) => {
                write!(f, " ({source})")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
