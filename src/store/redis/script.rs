//! The calls of the scripts that Redis runs.

use std::sync::LazyLock;

use redis::{
    Cmd, ConnectionLike, ErrorKind, FromRedisValue as _, RedisResult, Script, ServerErrorKind,
    Value,
};

use self::batch::{Batch, Run};
use self::calendars::Calendars;
pub(super) use self::sent::Sent;
use self::sent::begin;
use crate::domain::algorithm::Terms;
use crate::domain::clock::Millis;
use crate::domain::policy::Policy;
use crate::domain::slot::SlotId;
use crate::domain::window::Window;
use crate::store::{Charge, Key, PenaltyKey, Refund, Refunded};

pub(super) mod batch;
mod calendars;
pub mod lua;
pub(super) mod overrides;
mod reply;
mod sent;
pub(super) mod slots;
pub(super) mod split;

#[cfg(test)]
pub(super) use self::reply::packed;

/// `EVALSHA` names a script by its hash, which is computed once.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(lua::ACQUIRE));
static REFUND: LazyLock<Script> = LazyLock::new(|| Script::new(lua::REFUND));

/// Loads the script, as every new connection does.
pub(super) fn load(connection: &mut dyn ConnectionLike) -> RedisResult<()> {
    SCRIPT.load(connection).map(drop)
}

/// Runs the script over `batch`, at `now` instead of the server's time if it is given. It is sent as `first` says. If
/// it is to be sent again, `again` is called with how.
pub(super) fn run(
    connection: &mut dyn ConnectionLike,
    batch: &Batch,
    now: Option<Millis>,
    first: Sent,
    again: impl FnMut(Sent),
) -> RedisResult<Vec<u8>> {
    sent::run(connection, first, |sent| acquire(batch, now, sent), again)
}

/// Whether scripts may not call `TIME`. The error of a script does not say which command it may not call.
///
/// # Errors
/// When the script was not run, as where `EVAL` itself is refused.
pub(super) fn is_time_refused(connection: &mut dyn ConnectionLike) -> RedisResult<bool> {
    match redis::cmd("EVAL").arg("return redis.call('TIME')").arg(0).exec(connection) {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError) => Ok(true),
        Err(error) => Err(error),
    }
}

/// The call that forgets `keys`.
pub(super) fn reset<'a>(keys: impl IntoIterator<Item = &'a Key>) -> Cmd {
    let mut call = redis::cmd("UNLINK");
    for key in keys {
        call.arg(key.as_str());
    }
    call
}

/// The call of the script with all keys of `batch` and with one argument, as `lua/acquire.lua` reads
/// it. It is a single argument because Redis makes a Lua string of each.
pub(super) fn acquire(batch: &Batch, now: Option<Millis>, sent: Sent) -> Cmd {
    let of_run = |run: Run<'_>| {
        let tried: usize = run.trials().iter().map(|trial| 1 + trial.further.len()).sum();
        let of_request = run.charges().len() + tried + run.penalties().len();
        run.requests().len() * of_request
    };
    let keys: usize = batch.runs().map(of_run).sum();
    let mut call = begin(sent, &SCRIPT, lua::ACQUIRE, keys);
    for run in batch.runs() {
        for key in run.requests().flatten() {
            call.arg(key.as_str());
        }
    }
    let mut argument = now.unwrap_or(0).to_be_bytes().to_vec();
    let mut calendars = Calendars::around(now, sent);
    for run in batch.runs() {
        argument.extend(run.count().to_be_bytes());
        argument.extend(count(run.requests().len()));
        argument.extend(count(run.charges().len()));
        argument.extend(short_count(run.penalties().len()));
        argument.extend(short_count(run.trials().len()));
        for charge in run.charges() {
            push_terms(&mut argument, charge, run.first_slot(), &mut calendars);
        }
        for trial in run.trials() {
            // From 1, with the last one included.
            let replaced = trial.replaces.as_ref().map_or([0, 0], |it| [it.start + 1, it.end]);
            argument.extend(replaced.map(count).as_flattened());
            argument.extend(short_count(1 + trial.further.len()));
            for charge in trial.charges() {
                push_terms(&mut argument, charge, run.first_slot(), &mut calendars);
            }
        }
        for PenaltyKey { charges, penalty, .. } in run.penalties() {
            argument.extend([charges.start + 1, charges.end].map(count).as_flattened());
            argument.extend(penalty.denials().to_be_bytes());
            let durations = [penalty.within(), penalty.ban(), penalty.longest_ban()];
            argument.extend(durations.map(u64::to_be_bytes).as_flattened());
        }
    }
    call.arg(argument);
    if let Some(calendars) = calendars.into_argument() {
        call.arg(calendars);
    }
    call
}

fn push_terms(
    argument: &mut Vec<u8>,
    charge: &Charge,
    first_slot: Option<SlotId>,
    calendars: &mut Calendars,
) {
    let Terms { units, window, burst } = charge.policy.terms();
    let cost = charge.cost.units();
    let numbers = [cost, units, window.longest(), burst];
    argument.extend(numbers.map(u64::to_be_bytes).as_flattened());
    if let Some(calendar) = window.calendar() {
        calendars.push(calendar);
    }
    argument.extend(algorithm(&charge.policy).as_bytes());
    argument.push(0);
    if charge.is_in_flight() {
        argument.extend(slots::name(first_slot.unwrap_or_default()));
    }
}

/// What the scripts call the algorithm of a policy.
fn algorithm(policy: &Policy) -> &'static str {
    match policy.quota().window() {
        Window::Fixed(_) => policy.algorithm().name(),
        Window::Calendar(_) => "calendar-window",
    }
}

/// A length in 4 bytes. No call is nearly as long as would not fit.
fn count(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// A length in 2 bytes. No request meets nearly as many policies as would not fit.
fn short_count(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

/// The call that makes `refund`, at `now` instead of the server's time if it is given, with the arguments that
/// `lua/refund.lua` reads.
pub(super) fn refund(refund: &Refund, now: Option<Millis>, sent: Sent) -> Cmd {
    let Refund { charge, charged_at, once } = refund;
    let keys = std::iter::once(&charge.key).chain(once);
    let mut call = begin(sent, &REFUND, lua::REFUND, keys.clone().count());
    for key in keys {
        call.arg(key.as_str());
    }
    let terms = charge.policy.terms();
    call.arg(now.unwrap_or(0));
    call.arg(algorithm(&charge.policy)).arg(terms.units).arg(terms.window.longest());
    call.arg(charge.cost.units()).arg(charged_at.unwrap_or(0));
    if let Some(calendar) = terms.window.calendar() {
        call.arg(calendars::around(calendar, charged_at.or(now), sent));
    }
    call
}

/// Makes `refunds`, which are sent together, each in a step of its own.
pub(super) fn run_refunds(
    connection: &mut dyn ConnectionLike,
    refunds: &[Refund],
    now: Option<Millis>,
    first: Sent,
    mut again: impl FnMut(Sent),
) -> RedisResult<Vec<Refunded>> {
    let mut bytes = Vec::new();
    for it in refunds {
        refund(it, now, first).write_packed_command(&mut bytes);
    }
    let replies = connection.req_packed_commands(&bytes, 0, refunds.len())?;
    let read = |(reply, it): (Value, &Refund)| {
        let given = match reply.extract_error() {
            Err(error) if let Some(next) = first.again_after(&error) => {
                again(next);
                sent::run(connection, next, |sent| refund(it, now, sent), &mut again)
            }
            reply => Ok(i64::from_redis_value(reply?)?),
        };
        given.map(refunded)
    };
    replies.into_iter().zip(refunds).map(read).collect()
}

/// What the script of refunds replied.
pub(super) fn refunded(given: i64) -> Refunded {
    u64::try_from(given).map_or(Refunded::Before, Refunded::Given)
}
