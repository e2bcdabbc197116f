use proptest::prelude::*;

use super::super::packed;
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::key::Identity;
use crate::domain::standing::Retry;
use crate::store::{Charge, Keyspace, MemoryStore};

/// What one caller asks: its user, how many of the policies it meets, its cost, and its count.
type Question = (u8, usize, u64, u32);

fn policies() -> [Arc<Policy>; 2] {
    [("a", "7/day"), ("b", "5/day")]
        .map(|(name, quota)| Arc::new(Policy::new(name, quota.parse().unwrap()).unwrap()))
}

fn acquire(policies: &[Arc<Policy>], (user, met, cost, count): Question) -> Acquire {
    let charge = |policy: &Arc<Policy>| Charge {
        policy: policy.clone(),
        key: Keyspace::new("t").key(&Identity::user([user]), policy),
    };
    let charges = policies.iter().take(met).map(charge).collect();
    Acquire::new(charges, Cost::new(cost).unwrap(), count)
}

fn store() -> MemoryStore {
    MemoryStore::with_clock(1_000, Arc::new(ManualClock::new(1_000_000)))
}

/// The numbers that the script replies to `batch`, decided by `store`.
fn reply(batch: &Batch, store: &MemoryStore) -> Vec<i64> {
    let mut reply = vec![1_000_000];
    for run in batch.runs() {
        for keys in run.requests() {
            let charge = |(policy, key): (&Policy, &Key)| Charge {
                policy: Arc::new(policy.clone()),
                key: key.clone(),
            };
            let charges = run.policies().zip(keys).map(charge).collect();
            let asked = Acquire::new(charges, run.cost(), run.count());
            let acquired = store.acquire_now(&asked);
            reply.push(i64::from(acquired.admitted));
            for standing in acquired.standings {
                reply.push(i64::try_from(standing.remaining).unwrap());
                reply.push(i64::try_from(standing.reset_after).unwrap());
                reply.push(match standing.retry {
                    Retry::Now => 0,
                    Retry::After(wait) => i64::try_from(wait).unwrap(),
                    Retry::Never => -1,
                });
                // The debt, which a fixed window does not have.
                if run.count() > 1 {
                    reply.push(0);
                }
            }
        }
    }
    reply
}

fn batch(policies: &[Arc<Policy>], questions: &[Question]) -> Batch {
    Batch::of(questions.iter().map(|question| acquire(policies, *question)).collect())
}

/// The count of each run, and its number of requests.
fn runs(batch: &Batch) -> Vec<(u32, usize)> {
    batch.runs().map(|run| (run.count(), run.requests().len())).collect()
}

#[test]
fn equal_requests_are_one_request_to_redis() {
    let policies = policies();
    let batch = batch(&policies, &[(1, 1, 1, 1), (2, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 1)]);
    assert_eq!(runs(&batch), [(1, 1), (3, 1)]);
}

#[test]
fn requests_that_stand_for_as_many_are_one_run() {
    let policies = policies();
    let users = [1, 2, 1, 3, 4, 2, 5].map(|user| (user, 1, 1, 1));
    assert_eq!(runs(&batch(&policies, &users)), [(1, 3), (2, 2)]);
}

#[test]
fn another_cost_or_other_policies_are_another_run() {
    let policies = policies();
    let batch = batch(&policies, &[(1, 1, 1, 1), (1, 1, 2, 1), (1, 2, 1, 1)]);
    assert_eq!(runs(&batch), [(1, 1); 3]);
}

#[test]
fn the_first_are_admitted_and_each_sees_its_own_remaining() {
    let policies = policies();
    let batch = batch(&policies[1..], &[(1, 1, 2, 1); 4]);
    let answers = batch.decode(&packed(&reply(&batch, &store()))).unwrap().answers;
    let seen: Vec<_> = answers.iter().map(|it| (it.admitted, it.standings[0].remaining)).collect();
    assert_eq!(seen, [(1, 3), (1, 1), (0, 1), (0, 1)]);
}

#[test]
fn a_peek_beside_requests_for_the_same_keys_sees_what_they_left() {
    let policies = policies();
    let batch = batch(&policies[..1], &[(1, 1, 1, 1), (1, 1, 1, 0), (1, 1, 1, 2), (2, 1, 1, 0)]);
    assert_eq!(runs(&batch), [(0, 1), (3, 1)]);
    let answers = batch.decode(&packed(&reply(&batch, &store()))).unwrap().answers;
    let seen: Vec<_> = answers.iter().map(|it| (it.admitted, it.standings[0].remaining)).collect();
    assert_eq!(seen, [(1, 6), (0, 4), (2, 4), (0, 7)]);
}

#[test]
fn a_reply_that_does_not_fit_is_no_answer_to_anyone() {
    let policies = policies();
    let batch = batch(&policies, &[(1, 2, 1, 1), (2, 1, 1, 1)]);
    let reply = reply(&batch, &store());
    let whole = packed(&reply);
    assert!(batch.decode(&whole).is_ok());
    for length in 0..whole.len() {
        assert!(batch.decode(&whole[..length]).is_err(), "{length} bytes");
    }
    assert!(batch.decode(&[&whole[..], &[0]].concat()).is_err());
    let wrong = |at: usize, number| {
        let mut reply = reply.clone();
        reply[at] = number;
        batch.decode(&packed(&reply))
    };
    assert!(wrong(0, -1).is_err());
    assert!(wrong(1, -1).is_err());
    assert!(wrong(1, i64::MAX).is_err());
    assert!(wrong(2, -1).is_err());
    assert!(wrong(4, -2).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_batch_is_decided_as_if_its_requests_had_come_one_after_another(
        questions in proptest::collection::vec((0..3_u8, 1..3_usize, 1..4_u64, 1..4_u32), 1..24)
    ) {
        let policies = policies();
        let batch = batch(&policies, &questions);
        let answers = batch.decode(&packed(&reply(&batch, &store()))).unwrap().answers;

        let one_by_one = store();
        let mut order: Vec<usize> = (0..questions.len()).collect();
        order.sort_by_key(|it| {
            let position = &batch.positions[*it];
            (position.group, position.coalesced, position.before)
        });
        for it in order {
            let alone = one_by_one.acquire_now(&acquire(&policies, questions[it]));
            prop_assert_eq!(answers[it].admitted, alone.admitted);
            for (together, alone) in answers[it].standings.iter().zip(&alone.standings) {
                prop_assert_eq!(together, alone);
            }
        }
    }
}
