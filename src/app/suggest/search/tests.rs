use proptest::prelude::*;

use super::*;
use crate::app::suggest::counting::Counting;
use crate::app::suggest::goal::Goal;
use crate::app::suggest::report::Refusals;
use crate::app::suggest::samples::{counting, countings, requests};
use crate::app::suggest::traffic::Traffic;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::Millis;
use crate::domain::policy::Share;
use crate::domain::quota::Cost;
use crate::domain::standing::Retry;

/// What a quota of `units` refuses, by one request after another.
fn refused_slowly(counting: Counting, units: u64, clients: &[Vec<Millis>]) -> Refusals {
    let terms = counting.terms(units);
    let mut refused = Refusals::default();
    for times in clients {
        let mut state = counting.untouched();
        let mut requests = 0;
        for now in times {
            match state.standing(&terms, *now, Cost::ONE).retry {
                Retry::Now => _ = state.charge(&terms, *now, 1, Cost::ONE),
                _ => requests += 1,
            }
        }
        refused.requests += requests;
        refused.clients += u64::from(requests > 0);
    }
    refused
}

fn traffic_of(clients: &[Vec<Millis>]) -> Traffic {
    clients.iter().map(|times| times.iter().copied().collect()).collect()
}

fn share(basis_points: u64) -> Share {
    let text = format!("{}.{:02}%", basis_points / 100, basis_points % 100);
    text.parse().expect("a share")
}

#[test]
fn all_may_be_refused_and_the_quota_is_one() {
    let clients = [vec![1_000, 1_000, 1_000], vec![1_000, 1_000]];
    let traffic = traffic_of(&clients);
    let needs = Needs::of(counting(Algorithm::FixedWindow, "second"), &traffic);
    for of in [Of::Clients, Of::Requests] {
        let goal = Goal { share: Share::ALL, of };
        assert_eq!(smallest(&needs, of, goal.most(&traffic)), Some(1), "{of:?}");
        assert_eq!(smallest(&needs, of, 0), Some(3), "{of:?}");
    }
    assert_eq!(smallest(&needs, Of::Clients, 1), Some(2));
    // The requests that are refused are two and one under a quota of 1, and one under a quota of 2.
    assert_eq!(smallest(&needs, Of::Requests, 2), Some(2));
    assert_eq!(smallest(&needs, Of::Requests, 3), Some(1));
}

#[test]
fn no_quota_fits_where_the_largest_refuses_too_much() {
    let counting = counting(Algorithm::SlidingLog, "day");
    let requests = counting.largest() + 2;
    let traffic: Traffic = [(0..requests).map(|_| 1_000).collect()].into_iter().collect();
    let needs = Needs::of(counting, &traffic);
    assert_eq!(smallest(&needs, Of::Clients, 0), None);
    assert_eq!(smallest(&needs, Of::Clients, 1), Some(1));
    assert_eq!(smallest(&needs, Of::Requests, 1), None);
    assert_eq!(smallest(&needs, Of::Requests, 2), Some(counting.largest()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn one_unit_less_refuses_more_than_was_asked_for(
        counting in countings(),
        clients in proptest::collection::vec(requests(), 1..8),
        of in prop::sample::select(&[Of::Clients, Of::Requests]),
        basis_points in prop_oneof![Just(0), 1..3_000_u64, 0..=10_000_u64],
    ) {
        let traffic = traffic_of(&clients);
        let most = Goal { share: share(basis_points), of }.most(&traffic);
        let needs = Needs::of(counting, &traffic);
        let found = smallest(&needs, of, most);
        let refused = |units| refused_slowly(counting, units, &clients);
        let slowly = (1..=traffic.requests).find(|units| of.count(&refused(*units)) <= most);
        prop_assert_eq!(found, slowly);
        let units = found.expect("as many units as requests refuse none");
        prop_assert_eq!(needs.refused_by(units), refused(units));
        if units > 1 {
            prop_assert!(of.count(&refused(units - 1)) > most);
        }
        // Nobody asks for more than the share in whole clients or requests.
        let all = if of == Of::Clients { clients.len() as u64 } else { traffic.requests };
        prop_assert!(most * 10_000 <= all * basis_points && (most + 1) * 10_000 > all * basis_points);
    }
}
