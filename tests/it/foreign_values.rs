//! A value that something else wrote under one of our keys counts as no state. It is overwritten, gets a
//! TTL, and disturbs neither the other keys of the call nor a refund.

use std::sync::Arc;

use proptest::prelude::*;
use redis::{Connection, Value};
use tollgate::store::Charge;
use tollgate::{MAX_EXACT, Policy, Retry};

use crate::support::random::for_all;
use crate::support::stores::{HOUR, NOW, Stand, charge, each_policy};

/// A value that something else wrote.
#[derive(Clone, Debug)]
enum Foreign {
    /// A command, whose key is to be written in the place of `KEY`.
    Command(Vec<String>),
    Bytes(Vec<u8>),
    /// What the store had written itself, but for a byte at that place, and for its end.
    Mutated {
        at: usize,
        byte: u8,
        cut: usize,
        more: Vec<u8>,
    },
}

const KEY: &str = "KEY";

fn count_of_this_hour() -> impl Strategy<Value = String> {
    let start = NOW - NOW % HOUR;
    (0..9_u64, prop::sample::select(vec!["N", "N ", " N", "+N", "0N", "N.0", "N.5", "Ne0", "-N"]))
        .prop_map(move |(used, form)| form.replace('N', &(start * 1_000 + used).to_string()))
}

fn foreign() -> impl Strategy<Value = Foreign> {
    let text = prop_oneof![
        "[ -~]{0,40}",
        "-?[0-9]{1,20}",
        "[+ -]?[0-9]{1,4}(\\.[0-9]|e[0-9])? ?",
        Just("nan".to_owned()),
        Just("9".repeat(400)),
        Just("1790000000000 12 3456".to_owned()),
        // The number of a fixed window of this hour, in forms that it is not written in.
        count_of_this_hour(),
    ];
    let command = (0..7_usize, text.clone(), any::<f64>()).prop_map(|(kind, text, number)| {
        let score = if number.is_nan() { "inf".to_owned() } else { number.to_string() };
        let words: Vec<&str> = match kind {
            0 => vec!["LPUSH", KEY, &text],
            1 => vec!["HSET", KEY, &text, "1.5"],
            2 => vec!["SADD", KEY, &text],
            3 => vec!["ZADD", KEY, &score, &text],
            4 => vec!["XADD", KEY, "*", "field", &text],
            5 => vec!["SETBIT", KEY, "167", "1"],
            _ => vec!["PFADD", KEY, &text],
        };
        Foreign::Command(words.into_iter().map(str::to_owned).collect())
    });
    let of_size = |size| prop::collection::vec(any::<u8>(), size);
    let bytes = prop_oneof![
        text.prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..60),
        // As long as what is packed there, and a log that is read in parts.
        prop::sample::select(vec![12, 21, 28, 42, 896, 910, 14_000]).prop_flat_map(of_size),
        prop::sample::select(vec![12, 21, 28, 42]).prop_map(|size| vec![0xff; size]),
        prop::sample::select(vec![12, 21, 28, 42]).prop_map(|size| vec![0; size]),
    ];
    let mutated = (0..60_usize, any::<u8>(), 0..4_usize, prop::collection::vec(any::<u8>(), 0..3))
        .prop_map(|(at, byte, cut, more)| Foreign::Mutated { at, byte, cut, more });
    prop_oneof![command, bytes.prop_map(Foreign::Bytes), mutated]
}

/// Writes `foreign` under the key of `charge`; what stands there then, where it is a string.
fn write(redis: &mut Connection, key: &str, foreign: &Foreign) -> Option<Vec<u8>> {
    let value = match foreign {
        Foreign::Command(words) => {
            let mut command = redis::Cmd::new();
            redis::cmd("DEL").arg(key).exec(redis).expect("DEL");
            words.iter().for_each(|word| _ = command.arg(if word == KEY { key } else { word }));
            command.query::<Value>(redis).expect("a value of some type");
            return redis::cmd("GET").arg(key).query(redis).ok();
        }
        Foreign::Bytes(bytes) => bytes.clone(),
        Foreign::Mutated { at, byte, cut, more } => {
            let mut value: Vec<u8> = redis::cmd("GET").arg(key).query(redis).expect("a string");
            let at = at % value.len();
            value[at] ^= byte;
            value.truncate(value.len() - cut);
            value.extend(more);
            value
        }
    };
    // Without the TTL that it had.
    redis::cmd("SET").arg(key).arg(&value).exec(redis).expect("SET");
    Some(value)
}

/// Whether `value` may be a state of `policy`, as the table of layouts in docs/src/layouts.md has it.
fn may_be_a_state(policy: &Policy, value: &[u8]) -> bool {
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let exact = |bytes: &[u8]| bytes.chunks(7).all(|it| number(it) <= MAX_EXACT);
    match (policy.name(), value.len()) {
        ("fixed-window", 12) if exact(&value[5..]) => true,
        // Lua reads a number in any notation.
        ("fixed-window", _) => {
            let number =
                str::from_utf8(value).ok().and_then(|text| text.trim().parse::<f64>().ok());
            number.is_some_and(|it| it.fract() == 0.0 && (0.0..=MAX_EXACT as f64).contains(&it))
        }
        ("sliding-window", 21) => exact(value) && number(&value[..7]).is_multiple_of(HOUR),
        ("token-bucket", 21) => exact(value),
        ("sliding-log", 28..) if value.len().is_multiple_of(14) => {
            exact(&value[..14]) && exact(&value[value.len() - 14..])
        }
        _ => false,
    }
}

fn refund(redis: &mut Connection, charge: &Charge) -> u64 {
    let (policy, quota) = (&charge.policy, charge.policy.quota());
    let mut refund = redis::cmd("EVAL");
    refund.arg(tollgate::lua::REFUND).arg(1).arg(charge.key.as_str());
    refund
        .arg(NOW)
        .arg(policy.algorithm().name())
        .arg(quota.units())
        .arg(quota.window().longest())
        .arg(2)
        .arg(NOW);
    refund.query(redis).expect("a refund of nothing is no failure")
}

/// Writes `foreign` under a key of each policy, and asks for it alone and in one call with healthy keys.
fn play(
    stand: &Stand,
    redis: &mut Connection,
    number: u64,
    foreign: &Foreign,
) -> Result<(), TestCaseError> {
    let policies: [Arc<Policy>; 4] = each_policy(5, HOUR);
    let charges = |user: &str| policies.each_ref().map(|it| charge(&format!("{user}{number}"), it));
    let (healthy, found) = (charges("healthy"), charges("found"));
    prop_assert!(stand.admits(&healthy, 2));
    for (charge, others) in found.iter().flat_map(|it| [(it, &healthy[..]), (it, &[])]) {
        prop_assert!(stand.admits(std::slice::from_ref(charge), 1));
        let value = write(redis, charge.key.as_str(), foreign);
        let is_state = value.is_some_and(|value| may_be_a_state(&charge.policy, &value));

        // In one call with others, which reads the foreign value twice: for a peek, and for a charge.
        let asked = |count| {
            let both = [others, std::slice::from_ref(charge)].concat();
            stand.acquire(&both, 1, count)
        };
        let peeked = asked(0);
        // A refund may write the value anew, so that half of the charges meet it as it is.
        let given = if number.is_multiple_of(2) { refund(redis, charge) } else { 0 };
        let charged = asked(1);
        for (at, standing) in peeked.standings.iter().chain(&charged.standings).enumerate() {
            prop_assert!(standing.remaining <= 5, "{at}: {standing:?}");
            if let Retry::After(wait) = standing.retry {
                prop_assert!((1..=2 * HOUR).contains(&wait), "{at}: {standing:?}");
            }
        }
        let left = if charged.admitted == 1 { 2 } else { 3 };
        for standing in &charged.standings[..others.len()] {
            prop_assert_eq!(standing.remaining, left, "a healthy key");
        }
        if !is_state {
            let at = others.len();
            prop_assert_eq!(peeked.standings[at].remaining, 5, "{}", &charge.key);
            prop_assert_eq!(given, 0, "{}", &charge.key);
            prop_assert_eq!((charged.admitted, charged.standings[at].remaining), (1, 4));
            let ttl = redis::cmd("PTTL").arg(charge.key.as_str()).query::<i64>(redis);
            prop_assert!(ttl.expect("a TTL") > 0, "{} never goes", charge.key);
        }
        redis::cmd("DEL").arg(charge.key.as_str()).exec(redis).expect("DEL");
        for charge in &healthy {
            redis::cmd("DEL").arg(charge.key.as_str()).exec(redis).expect("DEL");
        }
        prop_assert!(stand.admits(&healthy, 2));
    }
    Ok(())
}

#[test]
fn what_something_else_wrote_is_no_state_and_disturbs_nobody() {
    let stand = Stand::redis();
    let mut redis = stand.server.as_ref().expect("it has one").connection();
    for_all(1_500, foreign(), |number, foreign| play(&stand, &mut redis, number, &foreign));
}
