//! A sliding log of the largest quota is decided in few steps: no call keeps Redis busy for long.

use std::sync::Arc;

use redis::Connection;
use tollgate::algorithm::LARGEST_LOG;
use tollgate::store::Acquired;
use tollgate::{Policy, Retry};

use crate::support::stores::{HOUR, NOW, Stand, charge, policy};

/// So many commands a call may run: two bisections of 200,000 entries, a log of 100,000 that is read and
/// written in parts, and what is read and written beside them.
const FEW: u64 = 2 * 18 + 2 * 22 + 8;

/// The packed pair of an entry.
fn entry(at: u64, total: u64) -> Vec<u8> {
    [at, total].into_iter().flat_map(|number| number.to_be_bytes()[1..].to_vec()).collect()
}

/// A log of one unit a millisecond, the last of them at `NOW`, kept until `kept_until`.
fn full_log(kept_until: u64) -> Vec<u8> {
    let entries = (1..=LARGEST_LOG).flat_map(|total| entry(NOW - LARGEST_LOG + total, total));
    entry(kept_until, 0).into_iter().chain(entries).collect()
}

/// The number of commands that scripts have run, and which.
fn commands(redis: &mut Connection) -> (u64, Vec<String>) {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis).expect("INFO");
    let counted = stats.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls: u64 = rest.split(',').next()?.parse().ok()?;
        let is_ours = ["config|resetstat", "evalsha", "info"].contains(&name);
        (!is_ours).then(|| (calls, name.to_owned()))
    });
    let (calls, names): (Vec<u64>, Vec<String>) = counted.unzip();
    (calls.into_iter().sum(), names)
}

/// What is answered to one request at `now` that finds `log`, and how many commands that took.
fn ask(stand: &Stand, policy: &Arc<Policy>, log: &[u8], now: u64) -> (Acquired, u64) {
    let charge = charge("a", policy);
    let mut redis = stand.server.as_ref().expect("a Redis").connection();
    redis::cmd("SET").arg(charge.key.as_str()).arg(log).exec(&mut redis).expect("SET");
    redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut redis).expect("RESETSTAT");
    stand.clock.set(now);
    let answer = stand.acquire(&[charge], 1, 1);
    let (calls, names) = commands(&mut redis);
    let known = ["append", "getrange", "set", "setrange", "strlen"];
    assert!(names.iter().all(|name| known.contains(&&**name)), "{names:?}");
    (answer, calls)
}

#[test]
fn a_check_of_the_largest_log_runs_few_commands_whatever_has_expired() {
    let stand = Stand::redis();
    let policy = policy("p", "sliding-log", LARGEST_LOG, HOUR);
    let log = full_log(NOW + HOUR);

    let (denied, calls) = ask(&stand, &policy, &log, NOW);
    assert_eq!((denied.admitted, denied.standings[0].remaining), (0, 0));
    assert_eq!(denied.standings[0].retry, Retry::After(HOUR - LARGEST_LOG + 1));
    assert!(calls <= FEW, "{calls} commands for a denial");

    let (half, calls) = ask(&stand, &policy, &log, NOW + HOUR - LARGEST_LOG / 2);
    assert_eq!((half.admitted, half.standings[0].remaining), (1, LARGEST_LOG / 2 - 1));
    assert!(calls <= FEW, "{calls} commands when half of it has expired");

    let (whole, calls) = ask(&stand, &policy, &log, NOW + HOUR);
    assert_eq!((whole.admitted, whole.standings[0].remaining), (1, LARGEST_LOG - 1));
    assert!(calls <= FEW, "{calls} commands after an idle window");
}

#[test]
fn a_log_that_is_written_anew_has_what_still_counts_and_nothing_else() {
    let stand = Stand::redis();
    let policy = policy("p", "sliding-log", LARGEST_LOG, HOUR);
    let now = NOW + HOUR - LARGEST_LOG / 2;
    let (answer, _) = ask(&stand, &policy, &full_log(NOW), now);
    assert_eq!((answer.admitted, answer.standings[0].remaining), (1, LARGEST_LOG / 2 - 1));
    let mut redis = stand.server.as_ref().expect("a Redis").connection();
    let key = charge("a", &policy).key;
    let log: Vec<u8> = redis::cmd("GET").arg(key.as_str()).query(&mut redis).expect("a string");
    let live = full_log(NOW).split_off(14 * usize::try_from(LARGEST_LOG / 2 + 1).expect("small"));
    let before = entry(now + 2 * HOUR, LARGEST_LOG / 2);
    let expected = [before, live, entry(now, LARGEST_LOG + 1)].concat();
    assert!(log == expected, "{} bytes, not {}", log.len(), expected.len());
}
