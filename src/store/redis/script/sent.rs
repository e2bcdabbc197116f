//! How a script is sent.

use redis::{
    Cmd, ConnectionLike, ErrorKind, FromRedisValue, RedisError, RedisResult, Script,
    ServerErrorKind,
};

/// How a script is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::redis) enum Sent {
    /// By its hash, which is short.
    ByHash,
    /// As its whole text, to a server that does not know the hash.
    Whole,
}

impl Sent {
    /// How to send a script again after the server replied with `error`; `None` where that is no use.
    ///
    /// A server forgets scripts, as after `SCRIPT FLUSH`, and replies `NOSCRIPT`. The whole script is
    /// loaded and run in one step, so that no other flush comes between.
    pub(in crate::store::redis) fn again_after(self, error: &RedisError) -> Option<Self> {
        let is_unknown = error.kind() == ErrorKind::Server(ServerErrorKind::NoScript);
        (is_unknown && self == Self::ByHash).then_some(Self::Whole)
    }
}

/// The beginning of a call of `script`, whose whole text is `text`, with so many `keys`.
pub(super) fn begin(sent: Sent, script: &Script, text: &str, keys: usize) -> Cmd {
    let (command, script) = match sent {
        Sent::ByHash => ("EVALSHA", script.get_hash()),
        Sent::Whole => ("EVAL", text),
    };
    let mut call = redis::cmd(command);
    call.arg(script).arg(keys);
    call
}

/// Runs the script that `call` sends. If the server does not know its hash, `unknown` is called, and the script is sent
/// again.
pub(super) fn run<T: FromRedisValue>(
    connection: &mut dyn ConnectionLike,
    call: impl Fn(Sent) -> Cmd,
    mut unknown: impl FnMut(),
) -> RedisResult<T> {
    let mut sent = Sent::ByHash;
    loop {
        let reply = call(sent).query(connection);
        match reply.as_ref().err().and_then(|error| sent.again_after(error)) {
            Some(again) => {
                unknown();
                sent = again;
            }
            None => return reply,
        }
    }
}
