use super::CallFailure::{Late, Lost, NoConnection, Refused};
use super::*;

const INTERVAL: Millis = 250;

/// A breaker after `failures` in a row.
fn after(failures: &[CallFailure]) -> Breaker {
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
    let cases: [(&[CallFailure], bool); 8] = [
        (&[Lost, Lost], false),
        (&[Lost, Refused], false),
        (&[Lost, Lost, Lost], true),
        (&[Refused, Refused, Refused], true),
        // Both dispatchers wait, and no third request should.
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
    assert_eq!([(); 2].map(|()| breaker.failed(Lost, 0)), [Verdict::None; 2]);
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
    let opened =
        (7..20).filter(|now| breaker.failed(Late, *now) == Verdict::Opened).collect::<Vec<_>>();
    assert_eq!((opened, breaker.opened_at()), (vec![8], Some(8)));
}

#[test]
fn what_failed_before_it_closed_counts_no_more() {
    let breaker = after(&[Late, Late, Late]);
    breaker.close(10);
    assert_eq!(breaker.failed(Late, 11), Verdict::None);
}

/// Steps through `length` ms of a server that answers requests for the first `closed` ms after each
/// probe, and then lets two requests wait in vain. Every probe succeeds. Returns when the breaker
/// opened, and how long the first probe waited each time.
fn outages(breaker: &Breaker, closed: Millis, length: Millis) -> Vec<(Millis, Millis)> {
    let (mut outages, mut since) = (Vec::new(), 0);
    for now in 0..length {
        match breaker.opened_at() {
            Some(opened) if now >= opened + breaker.wait() => {
                breaker.close(now);
                since = now;
            }
            Some(_) => {}
            None => {
                breaker.succeeded();
                if now >= since + closed && breaker.failed(Late, now) == Verdict::None {
                    assert_eq!(breaker.failed(Late, now), Verdict::Opened);
                    outages.push((now, breaker.wait()));
                }
            }
        }
    }
    outages
}

#[test]
fn a_server_that_answers_some_requests_is_probed_later_and_later() {
    let outages = outages(&Breaker::new(INTERVAL), 100, 60_000);
    let waits: Vec<Millis> = outages.iter().map(|(_, wait)| *wait).collect();
    assert_eq!(waits[..7], [0, 250, 500, 1_000, 2_000, 4_000, 4_000]);
    assert!(waits[6..].iter().all(|wait| *wait == 4_000), "{waits:?}");
    // Seven in the first ten seconds, and then one every four seconds.
    assert!(waits.len() <= 20, "{outages:?}");
}

#[test]
fn the_wait_is_none_again_after_a_stretch_of_health_alone() {
    let breaker = Breaker::new(INTERVAL);
    assert_eq!(outages(&breaker, 100, 10_000).last().map(|(_, wait)| *wait), Some(4_000));
    breaker.close(20_000);
    let open_at = |now| {
        breaker.succeeded();
        breaker.open(now);
        breaker.close(now);
        breaker.wait()
    };
    // Each half second of calm takes a step back.
    assert_eq!(open_at(20_500), 2_000);
    assert_eq!(open_at(21_500), 500);
    assert_eq!(open_at(23_000), 0);
    assert_eq!(open_at(23_500), 0);
    assert_eq!(open_at(23_999), 250);
}

#[test]
fn a_server_that_stalls_once_a_second_is_probed_at_once_each_time() {
    let outages = outages(&Breaker::new(INTERVAL), 700, 60_000);
    assert!(outages.len() > 80, "{outages:?}");
    assert!(outages.iter().all(|(_, wait)| *wait == 0), "{outages:?}");
}

#[test]
fn a_server_that_answers_no_request_is_not_well_however_long_nobody_asks() {
    let breaker = Breaker::new(INTERVAL);
    let waits = [0, 60_000, 120_000, 180_000].map(|now| {
        breaker.open(now);
        breaker.close(now);
        breaker.wait()
    });
    assert_eq!(waits, [0, 250, 500, 1_000]);
}

/// Steps through `length` ms of refusals, with an answer in between when `answered` says so. Every probe
/// succeeds at once. Returns when there was a probe.
fn probes(
    breaker: &Breaker,
    length: std::ops::Range<Millis>,
    answered: fn(Millis) -> bool,
) -> Vec<Millis> {
    let is_probed = |now: &Millis| {
        if answered(*now) {
            breaker.succeeded();
        }
        breaker.failed(Refused, *now);
        let is_due = breaker.doubt(*now) == Some(0);
        if is_due {
            breaker.confirm(*now);
        }
        breaker.close(*now).is_some() || is_due
    };
    length.filter(is_probed).collect()
}

#[test]
fn a_server_that_refuses_some_requests_for_good_is_given_up_once_and_probed_later_and_later() {
    let breaker = Breaker::new(INTERVAL);
    assert_eq!([(); 3].map(|()| breaker.failed(Refused, 0))[2], Verdict::Opened);
    breaker.close(0);
    let often = |now: Millis| now.is_multiple_of(50);
    let probed = probes(&breaker, 0..30_000, often);
    let gaps: Vec<Millis> = probed.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!((probed[0], &gaps[..5]), (250, &[500, 1_000, 2_000, 4_000, 4_000][..]));
    assert_eq!(breaker.wait(), 0, "it was opened once");
    // It is the same if only probes are answered. There is no probe if each refusal is between two
    // answers.
    let alone = probes(&Breaker::new(INTERVAL), 0..30_000, |_| false);
    assert_eq!(alone.len(), probed.len() + 1);
    assert!(probes(&Breaker::new(INTERVAL), 0..30_000, |_| true).is_empty());
}

#[test]
fn refusals_after_a_calm_open_it_again_as_they_may_be_of_everything() {
    let breaker = Breaker::new(INTERVAL);
    let probed = probes(&breaker, 0..30_000, |_| false);
    // A probe would be due four seconds after the last one, and nothing was refused for four more.
    let calm = probed[probed.len() - 1] + 8_000;
    breaker.succeeded();
    for _ in 0..3 {
        breaker.failed(Refused, calm - 1);
    }
    assert_eq!((breaker.is_closed(), breaker.doubt(calm - 1)), (true, Some(0)));
    let breaker = Breaker::new(INTERVAL);
    probes(&breaker, 0..30_000, |_| false);
    breaker.succeeded();
    assert_eq!([(); 3].map(|()| breaker.failed(Refused, calm))[2], Verdict::Opened);
}

#[test]
fn only_a_first_probe_that_succeeds_tells_that_some_are_refused() {
    let breaker = after(&[Refused; 3]);
    breaker.probe_failed();
    breaker.close(250);
    assert_eq!([(); 3].map(|()| breaker.failed(Refused, 260))[2], Verdict::Opened);
    let breaker = after(&[Late; 2]);
    breaker.close(1);
    assert_eq!([(); 3].map(|()| breaker.failed(Refused, 2))[2], Verdict::Opened);
}

#[test]
fn a_doubt_ends_with_the_probe_that_answers_it() {
    let doubted = || {
        let breaker = after(&[Refused; 3]);
        breaker.close(0);
        assert_eq!([(); 3].map(|()| breaker.failed(Refused, 1))[2], Verdict::Doubted);
        assert_eq!((breaker.is_closed(), breaker.doubt(1)), (true, Some(249)));
        breaker
    };
    let breaker = doubted();
    breaker.confirm(250);
    assert_eq!(breaker.doubt(250), None);
    let breaker = doubted();
    assert!(breaker.open(250), "the probe failed");
    assert_eq!(breaker.doubt(250), None, "it is open");
    breaker.close(500);
    assert_eq!(breaker.doubt(500), None);
    // Failures that make callers wait open it, whether the server is doubted or not.
    assert_eq!(doubted().failed(Late, 2), Verdict::Opened);
}

#[test]
fn threads_that_fail_together_open_it_once() {
    let breaker = Breaker::new(INTERVAL);
    let opened: usize = std::thread::scope(|scope| {
        let fail =
            || (0..1_000).filter(|now| breaker.failed(Lost, *now) == Verdict::Opened).count();
        let threads = [(); 4].map(|()| scope.spawn(fail));
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(opened, 1);
}
