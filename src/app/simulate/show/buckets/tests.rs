use super::{at_most, end, most, start};
use crate::app::simulate::report::Timeline;

#[test]
fn buckets_are_joined_and_nothing_is_lost() {
    let timeline =
        Timeline { start: 60_000, step: 1_000, requests: (1..=7).collect(), denied: vec![1; 7] };
    let joined = at_most(&timeline, 3);
    assert_eq!(joined.requests, [6, 15, 7]);
    assert_eq!(joined.denied, [3, 3, 1]);
    assert_eq!((joined.start, joined.step), (60_000, 3_000));
    assert_eq!((start(&joined, 1), end(&joined)), (63_000, 69_000));
    assert_eq!(at_most(&timeline, 7).requests, timeline.requests);
    assert_eq!(at_most(&timeline, 700).step, 1_000);
}

#[test]
fn the_last_bucket_is_whole_if_that_costs_little() {
    let timeline = Timeline { start: 0, step: 5, requests: vec![1; 288], denied: vec![0; 288] };
    let joined = at_most(&timeline, 60);
    assert_eq!(joined.requests, [6; 48]);
    assert_eq!((joined.step, end(&joined)), (30, 288 * 5));
    let prime = Timeline { requests: vec![1; 257], ..timeline };
    assert_eq!(at_most(&prime, 60).requests.len(), 52);
}

#[test]
fn no_timeline_is_too_odd() {
    assert!(at_most(&Timeline::default(), 0).requests.is_empty());
    assert_eq!(most(&[]), 0);
    let odd = Timeline {
        start: u64::MAX,
        step: u64::MAX,
        requests: vec![u64::MAX, u64::MAX, 1, 2, 3],
        denied: vec![3],
    };
    let joined = at_most(&odd, 2);
    assert_eq!(joined.requests, [u64::MAX, 5]);
    assert_eq!(joined.denied, [3, 0]);
    assert_eq!(end(&joined), u64::MAX);
}
