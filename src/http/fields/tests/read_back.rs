//! Every field of any decision, read by an implementation of RFC 9651 that is not ours.

use proptest::collection::vec;
use proptest::prelude::*;
use sfv::{BareItem, List, ListEntry, Parameters, Parser};

use super::*;
use crate::domain::quota::Quota;
use crate::domain::window::Window;

/// The largest integer of a structured field: 15 digits.
const LARGEST: u64 = 999_999_999_999_999;

fn retries() -> impl Strategy<Value = Retry> {
    prop_oneof![Just(Retry::Now), Just(Retry::Never), (1..=2 * MAX_WINDOW).prop_map(Retry::After)]
}

fn policies() -> impl Strategy<Value = (Policy, u64, Millis, Retry)> {
    let seconds = 1..=MAX_WINDOW / 1_000;
    let numbers = ("[A-Za-z0-9._-]{1,64}", 1..=MAX_EXACT, seconds, any::<bool>(), 1..u64::MAX);
    let standings = (0..=MAX_EXACT, 0..=2 * MAX_WINDOW, retries());
    (numbers, standings).prop_map(|(numbers, (remaining, reset_after, retry))| {
        let (name, units, seconds, bucket, burst) = numbers;
        let window = seconds * 1_000;
        let policy = Policy::new(&name, Quota::new(units, window).unwrap()).unwrap();
        let largest = Algorithm::TokenBucket { burst }.largest_quota(Window::Fixed(window));
        let burst = burst % largest + 1;
        let algorithm = Algorithm::TokenBucket { burst: burst.min(largest) };
        let policy = if bucket {
            policy.clone().with_algorithm(algorithm).unwrap_or(policy)
        } else {
            policy
        };
        (policy, remaining, reset_after, retry)
    })
}

/// The members of the list that a field's lines are, as a client reads them.
fn parse(lines: &[String]) -> Vec<(String, BTreeMap<String, u64>)> {
    let list: List = Parser::new(&lines.join(", ")).parse().expect("a structured list");
    list.into_iter()
        .map(|entry| {
            let ListEntry::Item(item) = entry else { panic!("a member that is a list") };
            let BareItem::String(name) = item.bare_item else { panic!("a name that is no string") };
            (name.to_string(), numbers(item.params))
        })
        .collect()
}

fn numbers(parameters: Parameters) -> BTreeMap<String, u64> {
    let number = |value: BareItem| match value {
        BareItem::Integer(number) => u64::try_from(i64::from(number)).expect("not negative"),
        other => panic!("{other:?} is no integer"),
    };
    parameters.into_iter().map(|(key, value)| (key.to_string(), number(value))).collect()
}

proptest! {
    #[test]
    fn every_field_reads_back_as_the_decision(
        allowed: bool,
        policies in vec(policies(), 1..6),
    ) {
        let decision = decision(allowed, policies);
        let fields = fields(&decision, legacy());

        let listed = decision.policies().map(|(policy, _)| {
            let terms = policy.terms();
            let mut expected = BTreeMap::from([
                ("q".to_owned(), terms.units.min(LARGEST)),
                ("w".to_owned(), policy.quota().window().longest() / 1_000),
            ]);
            if terms.burst != terms.units {
                expected.insert("tollgate-burst".to_owned(), terms.burst.min(LARGEST));
            }
            (policy.name().to_owned(), expected)
        });
        prop_assert_eq!(parse(&fields["ratelimit-policy"]), listed.collect::<Vec<_>>());

        let told = decision.policies().filter(|(_, it)| allowed || it.retry != Retry::Now);
        let expected: Vec<_> = told.map(|(policy, it)| {
            let wait = match it.retry {
                _ if allowed => (it.reset_after > 0).then_some(it.reset_after),
                Retry::After(wait) => Some(wait),
                Retry::Now | Retry::WhenFreed | Retry::Never => None,
            };
            let wait = wait.map(|wait| ("t".to_owned(), wait.div_ceil(1_000)));
            let remaining = ("r".to_owned(), it.remaining.min(LARGEST));
            (policy.name().to_owned(), wait.into_iter().chain([remaining]).collect())
        }).collect();
        let standings = fields.get("ratelimit").map_or_else(Vec::new, |lines| parse(lines));
        prop_assert_eq!(standings, expected);

        for name in ["limit", "remaining", "reset"] {
            let [value] = &fields[&format!("x-ratelimit-{name}")][..] else { panic!("{fields:?}") };
            prop_assert!(value.parse::<u64>().is_ok());
        }
    }
}
