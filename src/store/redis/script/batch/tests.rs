use proptest::prelude::*;

use super::super::packed;
use super::*;
use crate::domain::calendar::Weekday;
use crate::domain::clock::ManualClock;
use crate::domain::key::Identity;
use crate::domain::penalty::Penalty;
use crate::domain::policy::Policy;
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;
use crate::store::redis::script::{Sent, acquire as call};
use crate::store::{Charge, Keyspace, MemoryStore};

/// What one caller asks: its user, how many of the policies it meets, its cost, and its count.
type Question = (u8, usize, u64, u32);

fn policies() -> [Arc<Policy>; 2] {
    [("a", "7/day"), ("b", "5/day")]
        .map(|(name, quota)| Arc::new(Policy::new(name, quota.parse().unwrap()).unwrap()))
}

/// The same policies with penalties: the last of so many denials bans.
fn policies_with_penalties(denials: [u32; 2]) -> [Arc<Policy>; 2] {
    let [one, other] = policies().map(|policy| Policy::clone(&policy));
    let penalty = |denials, ban| Penalty::new(denials, 60_000, ban, 60_000).unwrap();
    [one.with_penalty(penalty(denials[0], 1_000)), other.with_penalty(penalty(denials[1], 2_000))]
        .map(Arc::new)
}

fn acquire(policies: &[Arc<Policy>], (user, met, cost, count): Question) -> Acquire {
    let charge = |policy: &Arc<Policy>| {
        Charge::new(policy.clone(), Keyspace::new("t").key(&Identity::user([user]), policy))
    };
    let charges = policies.iter().take(met).map(charge).collect();
    let mut acquire = Acquire::new(charges, count).at_cost(Cost::new(cost).unwrap());
    for (index, charge) in acquire.charges.iter().enumerate() {
        if let Some(penalty) = charge.policy.penalty() {
            let key = Keyspace::new("t").penalty_key(&charge.key, &charge.policy);
            acquire.penalties.push(PenaltyKey::new(index..index + 1, *penalty, key));
        }
    }
    acquire
}

fn store() -> MemoryStore {
    MemoryStore::with_clock(1_000, Arc::new(ManualClock::new(1_000_000)))
}

/// The numbers that the script replies to `batch`, decided by `store`.
fn reply(batch: &Batch, store: &MemoryStore) -> Vec<i64> {
    let mut reply = vec![1_000_000];
    for run in batch.runs() {
        for keys in run.requests() {
            let charge =
                |(charge, key): (&Charge, &Key)| Charge { key: key.clone(), ..charge.clone() };
            let keys: Vec<&Key> = keys.collect();
            let (of_charges, of_penalties) = keys.split_at(run.charges().len());
            let charges =
                run.charges().iter().zip(of_charges.iter().copied()).map(charge).collect();
            let mut asked = Acquire::new(charges, run.count());
            let penalties = run.penalties().iter().zip(of_penalties);
            asked.penalties.extend(
                penalties.map(|(it, key)| PenaltyKey { key: (*key).clone(), ..it.clone() }),
            );
            let acquired = store.acquire_now(&asked);
            reply.push(i64::from(acquired.admitted));
            for standing in acquired.standings {
                reply.push(i64::try_from(standing.remaining).unwrap());
                reply.push(i64::try_from(standing.reset_after).unwrap());
                reply.push(match standing.retry {
                    Retry::Now => 0,
                    Retry::After(wait) => i64::try_from(wait).unwrap(),
                    Retry::WhenFreed => -2,
                    Retry::Never => -1,
                });
                // The debt, which a fixed window does not have.
                if run.count() > 1 {
                    reply.push(0);
                }
            }
            if !run.penalties().is_empty() {
                let ban = acquired.ban.map_or([0; 3], |ban| {
                    [i64::try_from(ban.lasts).unwrap(), ban.penalty as i64 + 1, ban.decided.into()]
                });
                reply.extend(ban);
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
    let banned = acquire(&policies_with_penalties([1, 1]), (1, 2, 1, 1));
    let banned = Batch::of(vec![banned]);
    for (lasts, banned_by, fits) in [(0, 0, true), (5, 2, true), (5, 0, false), (0, 1, false)] {
        let reply = [9, 0, 0, 0, 1, 0, 0, 1, lasts, banned_by, 0];
        assert_eq!(banned.decode(&packed(&reply)).is_ok(), fits, "{lasts} by {banned_by}");
    }
    let wrong = |at: usize, number| {
        let mut reply = reply.clone();
        reply[at] = number;
        batch.decode(&packed(&reply))
    };
    assert!(wrong(0, -1).is_err());
    assert!(wrong(1, -1).is_err());
    assert!(wrong(1, i64::MAX).is_err());
    assert!(wrong(2, -1).is_err());
    assert!(wrong(4, -3).is_err());
}

#[test]
fn penalties_add_nothing_to_the_call_of_requests_without_any() {
    let argument = |policies: &[Arc<Policy>]| -> Vec<u8> {
        let batch = batch(policies, &[(1, 1, 3, 1), (2, 1, 3, 1)]);
        let call = call(&batch, Some(5), Sent::ByHash);
        let parts: Vec<_> = call.args_iter().collect();
        match parts.last() {
            Some(redis::Arg::Simple(argument)) => argument.to_vec(),
            other => panic!("{other:?}"),
        }
    };
    let mut expected = 5_u64.to_be_bytes().to_vec();
    // The count, the requests, the policies; and for penalties and trials as much as for trials alone.
    expected.extend([1_u32, 2, 1, 0].map(u32::to_be_bytes).as_flattened());
    expected.extend([3_u64, 7, 86_400_000, 7].map(u64::to_be_bytes).as_flattened());
    expected.extend(b"fixed-window\0");
    assert_eq!(argument(&policies()), expected);
    let with_penalty = argument(&policies_with_penalties([2, 2]));
    assert_eq!(with_penalty.len(), expected.len() + 36);
}

#[test]
fn a_call_is_told_the_windows_of_a_calendar_around_the_time_at_which_it_is_sent() {
    let policies = ["7/month", "7/day"].map(|quota| {
        let policy = Policy::new("p", quota.parse().unwrap()).unwrap();
        let zone = "Europe/Berlin".parse().unwrap();
        Arc::new(policy.with_timezone(zone, Weekday::Monday).unwrap())
    });
    let batch = batch(&policies, &[(1, 2, 3, 1)]);
    let calendars = |now, sent| -> Vec<u64> {
        let call = call(&batch, now, sent);
        let Some(redis::Arg::Simple(bytes)) = call.args_iter().last() else {
            panic!("no argument")
        };
        bytes.chunks(8).map(|it| u64::from_be_bytes(it.try_into().unwrap())).collect()
    };
    let windows =
        |at| policies.each_ref().map(|it| it.quota().window().calendar().unwrap().windows(at));
    let at = 1_793_487_600_000;
    let [month, day] = windows(at);
    let mut expected = vec![day.starts()[0], day.starts()[3]];
    expected.extend(month.starts().into_iter().chain(day.starts()));
    assert_eq!(calendars(Some(at), Sent::ByHash), expected, "a clock that is set");
    assert_eq!(calendars(None, Sent::ByHashAt(at)), expected, "what the server has told");
    assert_eq!(calendars(None, Sent::WholeAt(at)), expected);
    assert!(calendars(None, Sent::ByHash)[0] > expected[0], "by the system's clock");
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

    #[test]
    fn a_batch_bans_as_if_its_requests_had_come_one_after_another(
        questions in proptest::collection::vec((0..2_u8, 1..3_usize, 1..4_u64, 0..4_u32), 1..24),
        denials in [1..9_u32, 1..9_u32],
    ) {
        let policies = policies_with_penalties(denials);
        let batch = batch(&policies, &questions);
        let answers = batch.decode(&packed(&reply(&batch, &store()))).unwrap().answers;

        let one_by_one = store();
        let mut order: Vec<usize> = (0..questions.len()).collect();
        order.sort_by_key(|it| {
            let position = &batch.positions[*it];
            // The groups in the order of their calls, and peeks last in theirs.
            let runs = batch.groups[position.group].order.iter();
            let run = runs.clone().position(|coalesced| *coalesced == position.coalesced);
            (position.group, run, questions[*it].3 == 0, position.before)
        });
        for it in order {
            let alone = one_by_one.acquire_now(&acquire(&policies, questions[it]));
            prop_assert_eq!(answers[it].admitted, alone.admitted);
            prop_assert_eq!(answers[it].ban, alone.ban, "{:?}", questions[it]);
        }
    }
}
