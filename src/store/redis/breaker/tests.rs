use super::Failure::{Late, Lost, NoConnection, Refused};
use super::*;

const INTERVAL: Millis = 250;

/// A breaker after `failures` in a row.
fn after(failures: &[Failure]) -> Breaker {
    let breaker = Breaker::new(INTERVAL);
    for failure in failures {
        breaker.failed(*failure, 0);
    }
    breaker
}

#[test]
fn one_failure_of_any_kind_is_no_outage() {
    for failure in [Lost, Refused, Late, NoConnection] {
        assert!(after(&[failure]).is_closed(), "{failure:?}");
    }
}

#[test]
fn it_opens_once_there_is_enough_evidence_in_a_row() {
    // (failures, whether they open it)
    let cases: [(&[Failure], bool); 8] = [
        (&[Lost, Lost], false),
        (&[Lost, Refused], false),
        (&[Lost, Lost, Lost], true),
        (&[Refused, Refused, Refused], true),
        // Both dispatchers wait: no third request should.
        (&[Late, Late], true),
        // The old connection broke, and no new one can be made.
        (&[Lost, NoConnection], true),
        (&[NoConnection, Refused], true),
        (&[Late, Lost], true),
    ];
    for (failures, opens) in cases {
        assert_eq!(!after(failures).is_closed(), opens, "{failures:?}");
    }
}

#[test]
fn an_answer_between_them_clears_the_record() {
    let breaker = after(&[Lost, Lost]);
    assert!(breaker.succeeded(), "there was something to clear");
    assert!(!breaker.succeeded());
    assert!(!breaker.failed(Lost, 0) && !breaker.failed(Lost, 0));
    assert!(breaker.is_closed());
}

#[test]
fn no_answer_closes_it_but_a_probes() {
    let breaker = after(&[Late, Late]);
    breaker.succeeded();
    assert!(!breaker.is_closed());
    assert_eq!(breaker.close(900), Some(900));
    assert!(breaker.is_closed());
    assert_eq!(breaker.close(900), None, "it was closed already");
}

#[test]
fn one_of_many_failures_opens_it_and_it_knows_since_when() {
    let breaker = Breaker::new(INTERVAL);
    let opened = (7..20).filter(|now| breaker.failed(Late, *now)).collect::<Vec<_>>();
    assert_eq!((opened, breaker.opened_at()), (vec![8], Some(8)));
}

#[test]
fn what_failed_before_it_closed_counts_no_more() {
    let breaker = after(&[Late, Late, Late]);
    breaker.close(10);
    assert!(!breaker.failed(Late, 11));
}

#[test]
fn a_server_that_answers_probes_alone_is_probed_later_and_later() {
    let breaker = Breaker::new(INTERVAL);
    let outage = || {
        breaker.open(0);
        let wait = breaker.wait();
        breaker.close(0);
        wait
    };
    let waits = [(); 8].map(|()| outage());
    assert_eq!(waits, [0, 250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    breaker.succeeded();
    assert_eq!(outage(), 0, "it answered a request in between");
    assert_eq!(outage(), 250);
}

#[test]
fn threads_that_fail_together_open_it_once() {
    let breaker = Breaker::new(INTERVAL);
    let opened: usize = std::thread::scope(|scope| {
        let fail = || (0..1_000).filter(|now| breaker.failed(Refused, *now)).count();
        let threads = [(); 4].map(|()| scope.spawn(fail));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(opened, 1);
}
