//! Checks of the model against arithmetic done by hand, and against what any limiter promises.

use proptest::prelude::*;
use tollgate::Retry::{After, Never, Now};

use super::*;
use crate::histories::{Operation, changing_histories, histories};

/// The beginning of a window of 10 seconds, of a minute, of an hour.
const T: u64 = 1_699_999_200_000;

/// `bucket` stands for a token bucket that holds that much; its quota is its rate.
fn policy(quota: &str, algorithm: Algorithm) -> Arc<Policy> {
    let quota = quota.parse().unwrap();
    Arc::new(Policy::new("p", quota).unwrap().with_algorithm(algorithm).unwrap())
}

fn bucket(burst: u64) -> Algorithm {
    Algorithm::TokenBucket { burst }
}

/// A model with a single key, and the policy that counts it.
struct OneKey {
    model: Model,
    policy: Arc<Policy>,
}

impl OneKey {
    fn new(quota: &str, algorithm: Algorithm) -> Self {
        Self { model: Model::new(), policy: policy(quota, algorithm) }
    }

    /// `count` requests of `cost`, `after` milliseconds after [`T`], expected to be admitted as
    /// many as told, with so much remaining, whole after, and open to one more.
    #[track_caller]
    fn acquire(&mut self, after: i64, cost: u64, count: u64, expected: (u64, u64, u64, Retry)) {
        let charge = Charge { key: "key".to_owned(), policy: Arc::clone(&self.policy), cost };
        let outcome = self.model.acquire(T.strict_add_signed(after), &[charge], count);
        let standing = outcome.standings[0];
        let found = (outcome.admitted, standing.remaining, standing.reset_after, standing.retry);
        assert_eq!(found, expected, "(admitted, remaining, reset after, retry) at {after}");
    }

    /// The same key under another quota.
    fn change(&mut self, quota: &str, algorithm: Algorithm) {
        self.policy = policy(quota, algorithm);
    }
}

#[test]
fn a_fixed_window_is_whole_again_when_the_next_begins() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::FixedWindow);
    // 7 of 10 leave 3, until the window ends at 10_000: in 6_000 ms. 7 more do not fit before.
    key.acquire(4_000, 7, 1, (1, 3, 6_000, After(6_000)));
    // Of four requests of 1, three fit.
    key.acquire(9_999, 1, 4, (3, 0, 1, After(1)));
    key.acquire(9_999, 1, 1, (0, 0, 1, After(1)));
    key.acquire(10_000, 1, 1, (1, 9, 10_000, Now));
}

#[test]
fn a_sliding_window_lets_the_previous_one_go_by_and_by() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::SlidingWindow);
    // All 10 at 5_000. From 10_000 on, ceil(10 * (10_000 - e) / 10_000) of them count: 9 as soon
    // as e = 1_000, at 11_000, that is in 6_000 ms; none from 20_000 on, in 15_000 ms.
    key.acquire(5_000, 1, 10, (10, 0, 15_000, After(6_000)));
    // e = 999: ceil(9.001) = 10 count still.
    key.acquire(10_999, 1, 1, (0, 0, 9_001, After(1)));
    // 9 + 1 = 10 are used. 8 + 1 are at e = 2_000, in 1_000 ms. The new one goes at 30_000.
    key.acquire(11_000, 1, 1, (1, 0, 19_000, After(1_000)));
    // e = 5_000: 5 + 1 are used. 3 + 1 are at e = 7_000, in 2_000 ms, and then 6 fit.
    key.acquire(15_000, 6, 1, (0, 4, 15_000, After(2_000)));
    // In the window after, the lone unit counts 1 until its end, then nothing.
    key.acquire(29_999, 10, 0, (0, 9, 1, After(1)));
    key.acquire(30_000, 10, 1, (1, 0, 20_000, After(20_000)));
}

#[test]
fn a_sliding_log_forgets_each_request_a_window_after_it() {
    let mut key = OneKey::new("3/10 seconds", Algorithm::SlidingLog);
    key.acquire(0, 1, 1, (1, 2, 10_000, Now));
    key.acquire(4_000, 1, 2, (2, 0, 10_000, After(6_000)));
    // At 9_999 the first is still live, for 1 ms; two units need those of 4_000 to go, in 4_001.
    key.acquire(9_999, 2, 1, (0, 0, 4_001, After(4_001)));
    key.acquire(9_999, 1, 1, (0, 0, 4_001, After(1)));
    key.acquire(10_000, 1, 1, (1, 0, 10_000, After(4_000)));
    // At 20_000 one unit is back; two are when these two go, at 24_000.
    key.acquire(14_000, 2, 1, (1, 0, 10_000, After(10_000)));
}

#[test]
fn a_token_bucket_refills_at_its_rate_up_to_its_burst() {
    // 3 in 10 seconds is one per 3_333 1/3 ms.
    let mut key = OneKey::new("3/10 seconds", bucket(5));
    // Empty. One is back after 3_333.3, that is 3_334 ms; all 5 after 16_666.7.
    key.acquire(0, 1, 6, (5, 0, 16_667, After(3_334)));
    key.acquire(3_333, 1, 1, (0, 0, 13_334, After(1)));
    // 3_334 * 3 / 10_000 = 1.0002 are there; 0.0002 stay, 0.9998 * 10_000 / 3 = 3_332.7 ms to go,
    // 4.9998 * 10_000 / 3 = 16_666 ms exactly until it is full.
    key.acquire(3_334, 1, 1, (1, 0, 16_666, After(3_333)));
    // Full at 20_000, and no fuller later on.
    key.acquire(19_999, 1, 0, (0, 4, 1, Now));
    key.acquire(20_000, 5, 0, (0, 5, 0, Now));
    key.acquire(90_000, 4, 1, (1, 1, 13_334, After(10_000)));
}

#[test]
fn a_burst_may_be_below_the_quota() {
    // 60 a minute are one per second, but never more than 2 at once.
    let mut key = OneKey::new("60/minute", bucket(2));
    key.acquire(0, 1, 5, (2, 0, 2_000, After(1_000)));
    // 1.999 are there: 0.999 stay.
    key.acquire(1_999, 1, 5, (1, 0, 1_001, After(1)));
    key.acquire(10_000, 3, 1, (0, 2, 0, Never));
}

#[test]
fn a_cost_above_the_capacity_never_passes() {
    let capacities = [
        (Algorithm::FixedWindow, 4),
        (Algorithm::SlidingWindow, 4),
        (Algorithm::SlidingLog, 4),
        (bucket(6), 6),
    ];
    for (algorithm, capacity) in capacities {
        let mut key = OneKey::new("4/10 seconds", algorithm);
        key.acquire(0, capacity + 1, 2, (0, capacity, 0, Never));
        key.acquire(0, capacity, 0, (0, capacity, 0, Now));
    }
}

#[test]
fn a_peek_changes_nothing() {
    let mut key = OneKey::new("5/10 seconds", Algorithm::SlidingLog);
    key.acquire(0, 2, 0, (0, 5, 0, Now));
    key.acquire(1_000, 2, 1, (1, 3, 10_000, Now));
    key.acquire(2_000, 4, 0, (0, 3, 9_000, After(9_000)));
    key.acquire(2_000, 4, 0, (0, 3, 9_000, After(9_000)));
}

#[test]
fn a_request_is_charged_to_every_policy_or_to_none() {
    let charge = |key: &str, quota, cost| Charge {
        key: key.to_owned(),
        policy: policy(quota, Algorithm::FixedWindow),
        cost,
    };
    let charges = [charge("short", "4/10 seconds", 2), charge("long", "6/hour", 2)];
    let remaining = |outcome: &Outcome| -> Vec<u64> {
        outcome.standings.iter().map(|standing| standing.remaining).collect()
    };
    let mut model = Model::new();
    // Of three requests of 2, min(3, 4 / 2, 6 / 2) = 2 pass.
    let outcome = model.acquire(T, &charges, 3);
    assert_eq!((outcome.admitted, remaining(&outcome)), (2, vec![0, 2]));
    // The short quota denies: the long one is not used up.
    let outcome = model.acquire(T + 9_999, &charges, 1);
    assert_eq!((outcome.admitted, remaining(&outcome)), (0, vec![0, 2]));
    assert_eq!(outcome.standings[0].retry, After(1));
    assert_eq!(outcome.standings[1].retry, Now);
    // The long quota denies the second: the short one keeps 2.
    let outcome = model.acquire(T + 10_000, &charges, 2);
    assert_eq!((outcome.admitted, remaining(&outcome)), (1, vec![2, 0]));
    // Each charge has a cost of its own: of three requests, min(3, 2 / 1, 6 / 5) passes in the next hour.
    let charges = [charge("short", "4/10 seconds", 1), charge("long", "6/hour", 5)];
    let outcome = model.acquire(T + 3_600_000, &charges, 3);
    assert_eq!((outcome.admitted, remaining(&outcome)), (1, vec![3, 1]));
    assert_eq!(outcome.standings[0].retry, Now);
    assert_ne!(outcome.standings[1].retry, Now);
    // And keys are independent of each other.
    let outcome = model.acquire(T + 10_000, &[charge("another", "4/10 seconds", 1)], 1);
    assert_eq!((outcome.admitted, remaining(&outcome)), (1, vec![3]));
}

#[test]
fn a_fixed_window_stands_still_after_a_small_step_back() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::FixedWindow);
    key.acquire(13_000, 6, 1, (1, 4, 7_000, After(7_000)));
    // Back into the window before: charged as of 10_000; that window ends 20_000 - 9_000 later.
    key.acquire(9_000, 3, 1, (1, 1, 11_000, After(11_000)));
    // 10_000 behind the beginning of the window is still small.
    key.acquire(0, 1, 1, (1, 0, 20_000, After(20_000)));
    key.acquire(19_999, 1, 1, (0, 0, 1, After(1)));
}

#[test]
fn a_fixed_window_moves_with_a_large_step_back() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::FixedWindow);
    key.acquire(13_000, 6, 1, (1, 4, 7_000, After(7_000)));
    // 10_001 behind: the 6 count in [-10_000, 0), which ends in 1 ms. A peek leaves them there.
    key.acquire(-1, 6, 0, (0, 4, 1, After(1)));
    key.acquire(0, 6, 0, (0, 4, 20_000, After(20_000)));
    // A denied request does not.
    key.acquire(-1, 6, 1, (0, 4, 1, After(1)));
    key.acquire(0, 6, 0, (0, 10, 0, Now));
}

#[test]
fn a_sliding_window_stands_still_after_a_small_step_back() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::SlidingWindow);
    key.acquire(5_000, 4, 1, (1, 6, 15_000, Now));
    // e = 5_000: 2 of the 4 count, and 3 more.
    key.acquire(15_000, 3, 1, (1, 5, 15_000, Now));
    // As of 10_000: all 4 count, and 3, and 1 more.
    key.acquire(8_500, 1, 1, (1, 2, 21_500, Now));
    // 4 + 4 + 3 = 11 are too many until 3 of the previous 4 count: at 12_500, in 4_000 ms.
    key.acquire(8_500, 3, 1, (0, 2, 21_500, After(4_000)));
}

#[test]
fn a_sliding_window_moves_with_a_large_step_back() {
    let mut key = OneKey::new("10/10 seconds", Algorithm::SlidingWindow);
    key.acquire(5_000, 4, 1, (1, 6, 15_000, Now));
    key.acquire(15_000, 3, 1, (1, 5, 15_000, Now));
    // The 3 count in [-10_000, 0) and the 4 before it. Now e = 5_000: 2 + 3 used, and 1 more.
    // They are gone when the window after ends, at 10_000.
    key.acquire(-5_000, 1, 1, (1, 4, 15_000, Now));
    // 1 of the 4, and 4, and 5 are 10 at e = 7_500, in 2_500 ms.
    key.acquire(-5_000, 5, 1, (0, 4, 15_000, After(2_500)));
}

#[test]
fn a_sliding_log_stands_still_or_moves_with_the_clock() {
    let mut key = OneKey::new("5/10 seconds", Algorithm::SlidingLog);
    key.acquire(2_000, 1, 1, (1, 4, 10_000, Now));
    key.acquire(11_000, 1, 1, (1, 3, 10_000, Now));
    // Back by 2_000: as of 11_000, and that is when the new one is charged too. The first goes
    // at 12_000, in 3_000 ms, the others at 21_000.
    key.acquire(9_000, 2, 1, (1, 1, 12_000, After(3_000)));
    // Back by 10_001 from 11_000: all 4 are live as of 11_000, and become as of 999.
    key.acquire(999, 2, 1, (0, 1, 10_000, After(10_000)));
    key.acquire(10_998, 2, 1, (0, 1, 1, After(1)));
    key.acquire(10_999, 2, 0, (0, 5, 0, Now));
}

#[test]
fn a_sliding_log_does_not_raise_the_dead_by_a_large_step_back() {
    let mut key = OneKey::new("5/10 seconds", Algorithm::SlidingLog);
    key.acquire(0, 2, 1, (1, 3, 10_000, Now));
    key.acquire(10_500, 1, 1, (1, 4, 10_000, Now));
    // Back by 10_001 from 10_500: only the last is live then.
    key.acquire(499, 5, 0, (0, 4, 10_000, After(10_000)));
}

#[test]
fn a_token_bucket_stands_still_or_starts_again_with_the_clock() {
    // One per second.
    let mut key = OneKey::new("10/10 seconds", bucket(10));
    key.acquire(20_000, 6, 1, (1, 4, 6_000, After(2_000)));
    // Back by 3_000: nothing flows until 20_000, when 8 are missing. All are back at 28_000, and
    // 3 are there at 21_000.
    key.acquire(17_000, 2, 1, (1, 2, 11_000, Now));
    key.acquire(17_000, 3, 1, (0, 2, 11_000, After(4_000)));
    // Back by 10_001: 8 are missing as of now, and flow back from now on.
    key.acquire(9_999, 3, 1, (0, 2, 8_000, After(1_000)));
    key.acquire(10_999, 3, 1, (1, 0, 10_000, After(3_000)));
}

#[test]
fn a_fixed_window_keeps_what_was_used_under_other_units() {
    let mut key = OneKey::new("5/10 seconds", Algorithm::FixedWindow);
    key.acquire(12_000, 4, 1, (1, 1, 8_000, After(8_000)));
    key.change("3/10 seconds", Algorithm::FixedWindow);
    key.acquire(13_000, 1, 1, (0, 0, 7_000, After(7_000)));
    key.change("6/10 seconds", Algorithm::FixedWindow);
    key.acquire(14_000, 2, 1, (1, 0, 6_000, After(6_000)));
}

#[test]
fn a_sliding_window_counts_no_more_than_a_lowered_quota() {
    let mut key = OneKey::new("9/10 seconds", Algorithm::SlidingWindow);
    // 8 more pass when 1 of these 8 counts: at e = 8_750, that is 18_750.
    key.acquire(5_000, 8, 1, (1, 1, 15_000, After(13_750)));
    // Not 8 but 4 were used before: at e = 2_500, 3 count, and 1 more; 2 + 1 do at e = 5_000.
    key.change("4/10 seconds", Algorithm::SlidingWindow);
    key.acquire(12_500, 1, 1, (1, 0, 17_500, After(2_500)));
    // Raised within the same window: the 4 stay 4, so 3 + 1 are used, and 6 more are left.
    key.change("10/10 seconds", Algorithm::SlidingWindow);
    key.acquire(12_500, 1, 0, (0, 6, 17_500, Now));
}

#[test]
fn a_sliding_log_keeps_its_entries_under_other_units() {
    let mut key = OneKey::new("5/10 seconds", Algorithm::SlidingLog);
    key.acquire(0, 1, 1, (1, 4, 10_000, Now));
    key.acquire(5_000, 2, 1, (1, 2, 10_000, Now));
    // 3 are used, and 1 of them until 10_000.
    key.change("4/10 seconds", Algorithm::SlidingLog);
    key.acquire(6_000, 2, 1, (0, 1, 9_000, After(4_000)));
}

#[test]
fn a_token_bucket_takes_what_it_owes_to_other_numbers() {
    // One per second. 1 is missing at 0, and 0.5 + 1 are at 500.
    let mut key = OneKey::new("10/10 seconds", bucket(10));
    key.acquire(0, 1, 1, (1, 9, 1_000, Now));
    key.acquire(500, 1, 1, (1, 8, 1_500, Now));
    // Twice the rate in the same window: 1.5 are back in 750 ms.
    key.change("20/10 seconds", bucket(10));
    key.acquire(500, 10, 1, (0, 8, 750, After(750)));
    // All 10 are owed at 3_000, but not more than 3 by a bucket of 3.
    key.change("10/10 seconds", bucket(10));
    key.acquire(3_000, 10, 1, (1, 0, 10_000, After(10_000)));
    key.change("10/10 seconds", bucket(3));
    key.acquire(3_000, 1, 1, (0, 0, 3_000, After(1_000)));
}

/// Lets the model decide an operation, under keys named by policy and identity.
fn run(model: &mut Model, operation: &Operation, count: u64) -> Outcome {
    let charges: Vec<Charge> = operation
        .policies
        .iter()
        .enumerate()
        .map(|(index, policy)| Charge {
            key: format!("{}:{}:{:?}", policy.name(), operation.identity, policy.quota().window()),
            policy: Arc::clone(policy),
            cost: operation.cost_under(index),
        })
        .collect();
    model.acquire(operation.now, &charges, count)
}

/// What each key admitted, and when, under a clock that is not let step back.
type Admissions = HashMap<(String, usize), (Arc<Policy>, Vec<(u64, u64)>)>;

fn admissions_of(history: &[Operation]) -> Admissions {
    let mut model = Model::new();
    let mut admissions = Admissions::new();
    let mut now = 0;
    for operation in history {
        now = operation.now.max(now);
        let operation = Operation { now, ..operation.clone() };
        let admitted = run(&mut model, &operation, operation.count).admitted;
        for (index, policy) in operation.policies.iter().enumerate() {
            let units = admitted * operation.cost_under(index);
            let key = (policy.name().to_owned(), operation.identity);
            let entry = admissions.entry(key).or_insert((Arc::clone(policy), Vec::new()));
            entry.1.push((now, units));
        }
    }
    admissions
}

proptest! {
    #[test]
    fn no_key_admits_more_than_its_quota(history in histories(1..60)) {
        for (policy, admitted) in admissions_of(&history).into_values() {
            let (units, windows) = (policy.quota().units(), policy.quota().window());
            let window = windows.longest();
            for (i, (from, _)) in admitted.iter().enumerate() {
                let mut sum = 0;
                for (to, units_then) in &admitted[i..] {
                    sum += units_then;
                    let most = match policy.algorithm() {
                        Algorithm::FixedWindow | Algorithm::SlidingWindow
                            if !windows.holding(*from).contains(to) => break,
                        Algorithm::SlidingLog | Algorithm::InFlight if to - from >= window => break,
                        Algorithm::TokenBucket { burst } => {
                            let refilled = u128::from(to - from) * u128::from(units);
                            u128::from(burst) + refilled / u128::from(window)
                        }
                        _ => units.into(),
                    };
                    prop_assert!(u128::from(sum) <= most, "{sum} > {most} from {from} to {to}");
                }
            }
        }
    }

    #[test]
    fn waits_are_tight(history in changing_histories(1..40)) {
        let mut model = Model::new();
        for operation in &history {
            let standings = run(&mut model, operation, operation.count.max(1)).standings;
            let met = operation.policies.iter().zip(standings).enumerate();
            for (index, (policy, standing)) in met {
                let (policies, cost) = (vec![Arc::clone(policy)], operation.cost_under(index));
                let alone = Operation { policies, cost, ..operation.clone() };
                let mut then = |wait| {
                    let later = Operation { now: alone.now + wait, ..alone.clone() };
                    run(&mut model, &later, 0).standings[0]
                };
                if let After(wait) = standing.retry {
                    prop_assert_eq!(then(wait).retry, Now);
                    prop_assert_eq!(then(wait - 1).retry, After(1));
                }
                if let Some(before) = standing.reset_after.checked_sub(1) {
                    prop_assert_eq!(then(standing.reset_after).reset_after, 0);
                    prop_assert_eq!(then(before).reset_after, 1);
                }
            }
        }
    }

    #[test]
    fn requests_pass_together_as_they_do_one_by_one(history in changing_histories(1..60)) {
        let (mut together, mut one_by_one) = (Model::new(), Model::new());
        for operation in &history {
            // Not so many that one by one takes for ever.
            let count = operation.count.min(20);
            let expected = run(&mut together, operation, count);
            let mut found = run(&mut one_by_one, operation, 0);
            for _ in 0..count {
                let admitted = found.admitted;
                found = run(&mut one_by_one, operation, 1);
                found.admitted += admitted;
            }
            prop_assert_eq!(found, expected);
        }
    }
}
