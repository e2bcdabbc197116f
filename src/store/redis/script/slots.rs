//! The calls of the script that gives slots of requests under way back, and renews them.

use std::sync::LazyLock;

use redis::{Cmd, ConnectionLike, RedisResult, Script};

use super::lua;
use super::sent::{self, Sent, begin};
use crate::domain::clock::Millis;
use crate::domain::slot::SlotId;
use crate::store::Slot;

static SLOTS: LazyLock<Script> = LazyLock::new(|| Script::new(lua::SLOTS));

/// What becomes of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store::redis) enum SlotVerb {
    /// They are given back.
    Release,
    /// They last for another window.
    Renew,
}

/// The name of a slot in its sorted set: its holder in 8 bytes, and its number in 7.
pub(super) fn name(slot: SlotId) -> [u8; 15] {
    let mut name = [0; 15];
    name[..8].copy_from_slice(&slot.holder().to_be_bytes());
    name[8..].copy_from_slice(&slot.number().to_be_bytes()[1..]);
    name
}

/// The call that gives `slots` back or renews them, at `now` instead of the server's time if it is given, with the
/// arguments that `lua/slots.lua` reads.
pub(in crate::store::redis) fn call(
    verb: SlotVerb,
    slots: &[Slot],
    now: Option<Millis>,
    sent: Sent,
) -> Cmd {
    let mut call = begin(sent, &SLOTS, lua::SLOTS, slots.len());
    for slot in slots {
        call.arg(slot.charge.key.as_str());
    }
    call.arg(now.unwrap_or(0));
    call.arg(match verb {
        SlotVerb::Release => "release",
        SlotVerb::Renew => "renew",
    });
    for slot in slots {
        call.arg(&name(slot.id)).arg(slot.charge.policy.terms().window.longest());
    }
    call
}

/// Runs the script. Returns for each slot whether it was held.
pub(in crate::store::redis) fn run(
    connection: &mut dyn ConnectionLike,
    verb: SlotVerb,
    slots: &[Slot],
    now: Option<Millis>,
) -> RedisResult<Vec<bool>> {
    sent::run(connection, Sent::ByHash, |sent| call(verb, slots, now, sent), |_| {})
}
