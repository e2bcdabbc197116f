//! Promise 3: a denied request is admitted after the wait that it was told, if no other comes, and not a
//! millisecond earlier.

use proptest::prelude::*;
use tollgate::store::{Acquire, Acquired, Store};
use tollgate::{Keyspace, MAX_EXACT, Retry};

use crate::histories::{Operation, changing_histories, histories};
use crate::support::random::for_all;
use crate::support::stores::{Stand, acquire_of, on_each_store};

const HISTORIES: u32 = 800;
const OPERATIONS: std::ops::Range<usize> = 2..40;

/// The wait for all policies, and for the end of a ban; `None` where there is none, or nobody knows it.
fn wait(answer: &Acquired) -> Option<u64> {
    let ban = answer.ban.map(|ban| ban.lasts);
    match answer.standings.iter().fold(Retry::Now, |retry, it| retry.later(it.retry)) {
        Retry::After(wait) => Some(wait).max(ban),
        Retry::Now => ban,
        Retry::WhenFreed | Retry::Never => None,
    }
}

/// Plays `history` up to its first denial from operation `from` on, whose wait is then tried: true
/// where there was one.
fn probe(
    stand: &Stand,
    store: &dyn Store,
    keyspace: &Keyspace,
    history: &[Operation],
    from: usize,
) -> Result<bool, TestCaseError> {
    for (i, operation) in history.iter().enumerate() {
        stand.clock.set(operation.now);
        let asked = acquire_of(keyspace, operation);
        let answer = store.acquire(&asked).wait().expect("the store answers");
        let denied = answer.admitted < asked.count;
        let Some(wait) = wait(&answer).filter(|_| denied && i >= from) else { continue };
        if operation.now + wait > MAX_EXACT {
            // No clock gets there: an instant is exact for 285,000 years.
            continue;
        }

        stand.clock.set(operation.now + wait - 1);
        let early = with_count(&asked, 0);
        let early = store.acquire(&early).wait().expect("the store answers");
        prop_assert_eq!(self::wait(&early), Some(1), "{} ms after {:?}", wait, operation);
        stand.clock.set(operation.now + wait);
        let once = with_count(&asked, 1);
        let admitted = store.acquire(&once).wait().expect("the store answers").admitted;
        prop_assert_eq!(admitted, 1, "{} ms after {:?}", wait, operation);
        // The clock has left the history.
        return Ok(true);
    }
    Ok(false)
}

/// The same question for `count` requests, without trials.
fn with_count(asked: &Acquire, count: u32) -> Acquire {
    let once = Acquire::new(asked.charges.clone(), count);
    asked.penalties.iter().cloned().fold(once, Acquire::with_penalty)
}

fn run(histories: impl Fn() -> BoxedStrategy<Vec<Operation>>) {
    on_each_store(|stand| {
        let mut probes = 0;
        let inputs = (histories(), 0..OPERATIONS.end / 2);
        for_all(HISTORIES, inputs, |number, (history, from)| {
            let keyspace = Keyspace::new(format!("t{number}"));
            // Memory anew for each: in a crowded one, what is whole may be gone.
            let fresh = stand.server.is_none().then(|| stand.fresh_memory());
            let store = fresh.as_deref().unwrap_or(&*stand.store);
            probes += u32::from(probe(stand, store, &keyspace, &history, from)?);
            Ok(())
        });
        assert!(probes >= HISTORIES / 4, "only {probes} waits were tried");
    });
}

#[test]
fn promise_3_a_wait_is_tight_to_the_millisecond() {
    run(|| histories(OPERATIONS).boxed());
}

#[test]
fn promise_3_a_wait_is_tight_to_the_millisecond_while_quotas_change() {
    run(|| changing_histories(OPERATIONS).boxed());
}
