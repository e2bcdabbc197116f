//! The calls of the script that keeps the overrides of operators.

use std::sync::LazyLock;

use redis::{Cmd, ConnectionLike, FromRedisValue as _, RedisResult, Script, Value};

use super::lua;
use super::sent::{self, Sent, begin};
use crate::domain::clock::Millis;
use crate::store::overrides::{CHANGES_KEPT_FOR, MOST_CHANGES};
use crate::store::{Key, ReplaceOverrides};

static OVERRIDES: LazyLock<Script> = LazyLock::new(|| Script::new(lua::OVERRIDES));

/// What is asked about overrides.
#[derive(Clone, Debug)]
pub(in crate::store::redis) struct OverrideCall {
    /// The key of the text, and that of the lines of changes.
    pub(in crate::store::redis) keys: [Key; 2],
    pub(in crate::store::redis) verb: OverrideVerb,
}

#[derive(Clone, Debug)]
pub(in crate::store::redis) enum OverrideVerb {
    /// To read the text, unless its generation is known.
    Read(Option<u64>),
    /// To replace the text of that generation.
    Replace { generation: u64, text: String, keep_for: Millis, change: String },
    /// To read so many lines of changes.
    Changes(usize),
}

/// What the script replied.
#[derive(Clone, Debug)]
pub(in crate::store::redis) struct OverrideReply {
    pub(in crate::store::redis) now: Millis,
    pub(in crate::store::redis) generation: u64,
    pub(in crate::store::redis) text: Option<String>,
}

impl OverrideVerb {
    pub(in crate::store::redis) fn replace(replace: &ReplaceOverrides<'_>) -> Self {
        Self::Replace {
            generation: replace.generation,
            text: replace.text.to_owned(),
            keep_for: replace.keep_for,
            change: replace.change.to_owned(),
        }
    }
}

impl OverrideCall {
    /// The call, with the arguments that `lua/overrides.lua` reads.
    pub(in crate::store::redis) fn command(&self, sent: Sent) -> Cmd {
        let mut call = begin(sent, &OVERRIDES, lua::OVERRIDES, self.keys.len());
        for key in &self.keys {
            call.arg(key.as_str());
        }
        let (verb, generation, text, keep_for, change, most) = match &self.verb {
            OverrideVerb::Read(known) => ("read", known.unwrap_or(0), "", 0, "", 0),
            OverrideVerb::Replace { generation, text, keep_for, change } => {
                ("replace", *generation, text.as_str(), *keep_for, change.as_str(), MOST_CHANGES)
            }
            OverrideVerb::Changes(most) => ("changes", 0, "", 0, "", *most),
        };
        call.arg(verb).arg(generation).arg(text).arg(keep_for).arg(change);
        call.arg(CHANGES_KEPT_FOR).arg(most);
        call
    }
}

impl OverrideReply {
    /// Reads what the script replied.
    pub(in crate::store::redis) fn read(reply: Value) -> RedisResult<Self> {
        let parts: Vec<Value> = Vec::from_redis_value(reply)?;
        let mut parts = parts.into_iter();
        let now = u64::from_redis_value(parts.next().unwrap_or(Value::Nil))?;
        let generation = u64::from_redis_value(parts.next().unwrap_or(Value::Nil))?;
        let text = Option::from_redis_value(parts.next().unwrap_or(Value::Nil))?;
        Ok(Self { now, generation, text })
    }
}

/// Runs the script of the overrides.
pub(in crate::store::redis) fn run(
    connection: &mut dyn ConnectionLike,
    call: &OverrideCall,
) -> RedisResult<Value> {
    sent::run(connection, Sent::ByHash, |sent| call.command(sent), |_| {})
}
