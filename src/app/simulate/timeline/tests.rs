use proptest::prelude::*;

use super::*;

fn of(times: &[Millis]) -> TimelineTally {
    let mut tally = TimelineTally::default();
    times.iter().for_each(|at| tally.count(*at, at % 2 == 1));
    tally
}

#[test]
fn steps_can_be_joined() {
    assert!(STEPS.windows(2).all(|steps| steps[1] % steps[0] == 0));
}

#[test]
fn seconds_are_counted_apart_until_there_are_too_many() {
    let report = of(&[1_000_000, 1_000_999, 1_002_001]).report();
    assert_eq!((report.start, report.step), (1_000_000, 1_000));
    assert_eq!((report.requests, report.denied), (vec![2, 0, 1], vec![1, 0, 1]));
    let report = of(&[1_000_000, 1_119_000]).report();
    assert_eq!((report.step, report.requests.len()), (1_000, 120));
    let report = of(&[1_000_000, 1_120_000]).report();
    assert_eq!((report.start, report.step, report.requests.len()), (1_000_000, 5_000, 25));
}

proptest! {
    #[test]
    fn every_request_is_in_the_bucket_of_its_time(
        mut times in prop::collection::vec(0_u64..4_000_000_000_000, 1..50),
    ) {
        times.sort_unstable();
        let report = of(&times).report();
        prop_assert!(report.requests.len() <= MOST_BUCKETS);
        for (at, requests) in report.requests.iter().enumerate() {
            let from = report.start + at as u64 * report.step;
            let within = |it: &&u64| (from..from + report.step).contains(*it);
            prop_assert_eq!(times.iter().filter(within).count() as u64, *requests);
        }
    }

    #[test]
    fn two_tallies_are_added_as_if_one_had_counted(
        mut one in prop::collection::vec(1_u64..9_000_000, 0..40),
        mut other in prop::collection::vec(1_u64..900_000_000, 0..40),
    ) {
        one.sort_unstable();
        other.sort_unstable();
        let mut all = [&one[..], &other].concat();
        all.sort_unstable();
        let mut added = of(&one);
        added.add(of(&other));
        let (added, whole) = (added.report(), of(&all).report());
        prop_assert_eq!((added.start, added.step), (whole.start, whole.step));
        prop_assert_eq!((added.requests, added.denied), (whole.requests, whole.denied));
    }
}
