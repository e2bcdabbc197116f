//! How a script is sent.

use redis::{
    Cmd, ConnectionLike, ErrorKind, FromRedisValue, RedisError, RedisResult, Script,
    ServerErrorKind,
};

use crate::domain::clock::Millis;
use crate::store::redis::error::CALENDAR;

/// Two times that are further apart than this may have other windows around them, in ms.
const FAR: Millis = 3_600_000;

/// How often a script is sent at most: by its hash, with other windows, and as its whole text.
const MAX_SENT: usize = 4;

/// How a script is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::redis) enum Sent {
    /// By its hash, which is short.
    ByHash,
    /// As its whole text, to a server that does not know the hash.
    Whole,
    /// By its hash, with the windows of calendars around this time, which the server's clock shows by now.
    ByHashAt(Millis),
    /// The same, as its whole text.
    WholeAt(Millis),
}

impl Sent {
    /// How to send a script again after the server replied with `error`; `None` where that is no use.
    ///
    /// A server forgets scripts, as after `SCRIPT FLUSH`, and replies `NOSCRIPT`. The whole script is
    /// loaded and run in one step, so that no other flush comes between.
    ///
    /// If the server's clock shows a time at which the windows of calendars were not told, it replies `CALENDAR`.
    pub(in crate::store::redis) fn again_after(self, error: &RedisError) -> Option<Self> {
        if error.code() == Some(CALENDAR) {
            let told: Millis = error.detail()?.split_whitespace().next()?.parse().ok()?;
            return match self {
                Self::ByHash => Some(Self::ByHashAt(told)),
                Self::Whole => Some(Self::WholeAt(told)),
                Self::ByHashAt(at) => (at.abs_diff(told) > FAR).then_some(Self::ByHashAt(told)),
                Self::WholeAt(at) => (at.abs_diff(told) > FAR).then_some(Self::WholeAt(told)),
            };
        }
        match (error.kind(), self) {
            (ErrorKind::Server(ServerErrorKind::NoScript), Self::ByHash) => Some(Self::Whole),
            (ErrorKind::Server(ServerErrorKind::NoScript), Self::ByHashAt(at)) => {
                Some(Self::WholeAt(at))
            }
            _ => None,
        }
    }

    /// The time that the server told, if that is why it is sent again.
    pub(in crate::store::redis) fn told(self) -> Option<Millis> {
        match self {
            Self::ByHash | Self::Whole => None,
            Self::ByHashAt(at) | Self::WholeAt(at) => Some(at),
        }
    }

    /// Whether it is sent as its whole text.
    pub(in crate::store::redis) fn is_whole(self) -> bool {
        matches!(self, Self::Whole | Self::WholeAt(_))
    }
}

/// The beginning of a call of `script`, whose whole text is `text`, with so many `keys`.
pub(super) fn begin(sent: Sent, script: &Script, text: &str, keys: usize) -> Cmd {
    let (command, script) = match sent.is_whole() {
        false => ("EVALSHA", script.get_hash()),
        true => ("EVAL", text),
    };
    let mut call = redis::cmd(command);
    call.arg(script).arg(keys);
    call
}

/// Runs the script that `call` sends, as `first` says at first. If the server replies that it is to be sent again,
/// `again` is called with how.
pub(super) fn run<T: FromRedisValue>(
    connection: &mut dyn ConnectionLike,
    first: Sent,
    call: impl Fn(Sent) -> Cmd,
    mut again: impl FnMut(Sent),
) -> RedisResult<T> {
    let mut sent = first;
    for _ in 1..MAX_SENT {
        let reply = call(sent).query(connection);
        match reply.as_ref().err().and_then(|error| sent.again_after(error)) {
            Some(next) => {
                again(next);
                sent = next;
            }
            None => return reply,
        }
    }
    call(sent).query(connection)
}
