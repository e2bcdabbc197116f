use std::sync::Arc;

use super::*;
use crate::app::observation::refusals::tests::Counting;
use crate::domain::clock::ManualClock;

/// The part of the busiest key, after so many requests of each user.
fn part(source: &str, requests: &[(&str, u64)]) -> Option<f64> {
    let who = Who::new(Arc::new(ManualClock::new(0)));
    let api = Counting::under("api");
    for (user, times) in requests {
        (0..*times).for_each(|_| who.on_decision(&api.admits(user).event()));
    }
    let policy = Policy::new("api", "10/minute".parse().unwrap()).unwrap();
    let policy = policy.with_key(source.parse().unwrap());
    dominant(&who, &policy).map(|it| it.part())
}

#[test]
fn a_key_has_a_part_of_the_requests_of_its_policy() {
    assert_eq!(part("user", &[("ann", 60), ("bob", 15), ("cid", 25)]), Some(0.6));
    assert_eq!(part("user", &[("ann", 100)]), Some(1.0));
}

#[test]
fn few_requests_say_nothing() {
    assert_eq!(part("user", &[("ann", 99)]), None);
    assert_eq!(part("user", &[]), None);
}

#[test]
fn a_key_that_is_shared_on_purpose_is_no_finding() {
    assert_eq!(part("global", &[("ann", 100)]), None);
}

#[test]
fn however_many_keys_there_are_the_part_is_never_too_high() {
    let names: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
    let each = names.iter().map(|name| (name.as_str(), 1));
    let alone: Vec<(&str, u64)> = each.clone().collect();
    let part_of_none = part("user", &alone).expect("many requests");
    assert!(part_of_none <= 1.0 / 5_000.0, "{part_of_none}");
    let beside: Vec<(&str, u64)> = [("ann", 10_000)].into_iter().chain(each).collect();
    let part_of_ann = part("user", &beside).expect("many requests");
    assert!((0.6..=10_000.0 / 15_000.0).contains(&part_of_ann), "{part_of_ann}");
}
