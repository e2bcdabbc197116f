//! What errors of redis-rs mean for a store: their kind, and whether anything may have been charged.

use redis::RedisError;

use crate::store::{StoreError, StoreErrorKind};

/// What Redis adds to an error inside a script, from 7.0 on.
const IN_A_SCRIPT: &str = "user_script";

/// The error of the store that `error` of a call means.
pub(super) fn store_error(error: RedisError) -> StoreError {
    let kind = if error.is_timeout() {
        StoreErrorKind::TimedOut
    } else if error.is_io_error() {
        StoreErrorKind::Lost
    } else if charged_nothing(&error) {
        StoreErrorKind::Declined
    } else {
        StoreErrorKind::Refused
    };
    StoreError::caused_by(kind, error)
}

/// The same for an error of a connect, which cannot lose an answer.
pub(super) fn connect_error(error: RedisError) -> StoreError {
    match store_error(error) {
        error if error.kind() == StoreErrorKind::Lost => {
            error.into_kind(StoreErrorKind::Unreachable)
        }
        error => error,
    }
}

/// The code of the error by which a script says that it was not told the windows of a calendar at its time.
pub(super) const CALENDAR: &str = "CALENDAR";

/// Whether a server that replies with `error` has certainly written nothing of the call.
///
/// When an error ends a script, its earlier writes stay. So the question is when the server checks for
/// each error.
fn charged_nothing(error: &RedisError) -> bool {
    let detail = error.detail().unwrap_or_default();
    match error.code() {
        // It checks for these before each write. None of them begins while a script runs, and a full
        // memory is no error any more after the first write.
        Some("OOM" | "READONLY" | "MASTERDOWN" | "NOREPLICAS") => true,
        // The scripts themselves reply so, before they write.
        Some(CALENDAR) => true,
        // The same holds for a failed snapshot. But another thread writes the append-only file, and may
        // fail while a script runs.
        Some("MISCONF") => detail.contains("RDB snapshots"),
        // It checks for these before it runs the script. From 7.2 on, NOPERM also says that a command
        // inside the script is refused.
        Some(
            "LOADING" | "BUSY" | "NOAUTH" | "WRONGPASS" | "NOPERM" | "NOSCRIPT" | "CLUSTERDOWN"
            | "MOVED" | "ASK" | "TRYAGAIN" | "CROSSSLOT",
        ) => !detail.contains(IN_A_SCRIPT),
        _ => false,
    }
}

/// Whether `error` says that the user may not touch one of the keys of a call, and that the call was
/// not run. Then only some of its requests are the reason.
pub(super) fn is_about_a_key(error: &StoreError) -> bool {
    let source = std::error::Error::source(error).and_then(|it| it.downcast_ref::<RedisError>());
    source.is_some_and(|error| {
        let detail = error.detail().unwrap_or_default();
        error.code() == Some("NOPERM") && detail.contains("key") && charged_nothing(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;
    use crate::store::redis::error::store_error;

    fn reply(text: &str) -> RedisError {
        let reply = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).expect("a reply");
        reply.extract_error().expect_err("an error")
    }

    #[test]
    fn an_error_is_no_charge_only_where_that_is_sure() {
        // (as Redis 7.0 writes it, whether it is sure)
        let cases = [
            (
                "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:9.",
                true,
            ),
            (
                "READONLY You can't write against a read only replica. script: 1, on @user_script:9.",
                true,
            ),
            (
                "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
                true,
            ),
            ("NOREPLICAS Not enough good replicas to write. script: 1, on @user_script:9.", true),
            (
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to",
                true,
            ),
            ("MISCONF Errors writing to the AOF file: No space left on device", false),
            ("CALENDAR 1700000000000", true),
            ("LOADING Redis is loading the dataset in memory", true),
            (
                "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
                true,
            ),
            ("NOAUTH Authentication required.", true),
            ("WRONGPASS invalid username-password pair or user is disabled.", true),
            ("NOSCRIPT No matching script. Please use EVAL.", true),
            ("CLUSTERDOWN Hash slot not served", true),
            ("MOVED 866 127.0.0.1:7001", true),
            ("ASK 866 127.0.0.1:7001", true),
            ("TRYAGAIN Multiple keys request during rehashing of slot", true),
            ("CROSSSLOT Keys in request don't hash to the same slot", true),
            ("NOPERM this user has no permissions to run the 'evalsha' command", true),
            // As Redis 7.2 writes it: another request of the same call may have been charged.
            (
                "NOPERM ACL failure in script: User t has no permissions to run the 'hset' command script: 1, on @user_script:9.",
                false,
            ),
            (
                "ERR The user executing the script can't run this command or subcommand script: 1, on @user_script:9.",
                false,
            ),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
            ("ERR something else", false),
        ];
        for (text, sure) in cases {
            assert_eq!(charged_nothing(&reply(text)), sure, "{text}");
            let kind = if sure { StoreErrorKind::Declined } else { StoreErrorKind::Refused };
            assert_eq!(store_error(reply(text)).kind(), kind, "{text}");
        }
    }

    #[test]
    fn an_error_about_a_key_is_told_from_one_about_a_command() {
        let cases = [
            // As 7.0 and 7.2 write it.
            (
                "NOPERM this user has no permissions to access one of the keys used as arguments",
                true,
            ),
            ("NOPERM No permissions to access a key", true),
            ("NOPERM this user has no permissions to run the 'evalsha' command", false),
            ("OOM command not allowed when used memory > 'maxmemory'.", false),
            ("NOPERM No permissions to access a key script: 1, on @user_script:9.", false),
        ];
        for (text, expected) in cases {
            assert_eq!(is_about_a_key(&store_error(reply(text))), expected, "{text}");
        }
    }
}
