//! What happens to Redis in a soak.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tollgate_testkit::redis::Server;
use tollgate_testkit::threads::pause;

/// As whom the second process is known to Redis, which can refuse that one alone.
pub(super) const SECOND_USER: &str = "second";

/// What is done to Redis in the middle of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    Killed,
    Hanging,
    ClientsPaused,
    ConnectionsKilled,
    ScriptFlushed,
    Full,
    /// Nobody asks for so long that Redis closes the connections.
    ConnectionsIdle,
    /// Half of the threads ask under another window of the same policy.
    TwoWindows,
    /// Of two processes that share the quota, one loses Redis.
    OneSidedCut,
}

pub(super) const FAULTS: [Fault; 9] = [
    Fault::Killed,
    Fault::Hanging,
    Fault::ClientsPaused,
    Fault::ConnectionsKilled,
    Fault::ScriptFlushed,
    Fault::Full,
    Fault::ConnectionsIdle,
    Fault::TwoWindows,
    Fault::OneSidedCut,
];

impl Fault {
    /// Happens to `server` for `length`. While `rests` is set, nobody is to ask.
    pub(super) fn happen(self, server: &mut Server, length: Duration, rests: &AtomicBool) {
        match self {
            Self::Killed => {
                server.kill();
                pause(length);
                server.restart();
            }
            Self::Hanging => {
                server.pause();
                pause(length);
                server.resume();
            }
            Self::ClientsPaused => {
                server.tell(&["CLIENT", "PAUSE", &length.as_millis().to_string()]);
            }
            Self::ConnectionsKilled => server.tell(&["CLIENT", "KILL", "TYPE", "normal"]),
            Self::ScriptFlushed => server.tell(&["SCRIPT", "FLUSH"]),
            Self::Full => {
                server.tell(&["CONFIG", "SET", "maxmemory", "1"]);
                pause(length);
                server.tell(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            Self::ConnectionsIdle => {
                server.tell(&["CONFIG", "SET", "timeout", "1"]);
                rests.store(true, Ordering::SeqCst);
                // Redis looks for idle connections now and then.
                pause(Duration::from_secs(3) + length);
                rests.store(false, Ordering::SeqCst);
                server.tell(&["CONFIG", "SET", "timeout", "0"]);
            }
            Self::TwoWindows => pause(length),
            Self::OneSidedCut => {
                server.tell(&["ACL", "SETUSER", SECOND_USER, "off"]);
                server.tell(&["CLIENT", "KILL", "USER", SECOND_USER]);
                // Long enough for the other process to use up most of what remained.
                pause(length * 5);
                server.tell(&["ACL", "SETUSER", SECOND_USER, "on"]);
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Killed => "killed",
            Self::Hanging => "hanging",
            Self::ClientsPaused => "clients paused",
            Self::ConnectionsKilled => "connections killed",
            Self::ScriptFlushed => "script flushed",
            Self::Full => "full",
            Self::ConnectionsIdle => "connections idle",
            Self::TwoWindows => "two windows",
            Self::OneSidedCut => "one-sided cut",
        })
    }
}
