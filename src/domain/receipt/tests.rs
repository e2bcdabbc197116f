use super::*;
use crate::domain::calendar::Weekday;

fn charge(name: &str, algorithm: Algorithm, tag: &str) -> ReceiptCharge {
    let policy = Policy::new(name, "10/minute".parse().unwrap()).unwrap();
    let policy = policy.with_algorithm(algorithm).unwrap();
    ReceiptCharge {
        policy: policy.into(),
        is_trial: false,
        tag: tag.into(),
        cost: Cost::new(3).unwrap(),
        at: 1_700_000_000_000,
        slot: None,
    }
}

#[test]
fn its_text_is_read_back() {
    let charges = vec![
        charge("default", Algorithm::FixedWindow, "ip:192.0.2.1"),
        charge("burst", Algorithm::TokenBucket { burst: 1 }, "user:a%20b"),
        charge("log", Algorithm::SlidingLog, "header:x-tenant:#0f"),
        charge("counter", Algorithm::SlidingWindow, "ip:2001:db8::/64"),
        ReceiptCharge {
            at: 0,
            slot: Some(SlotId::new(u64::MAX, 7)),
            ..charge("uploads", Algorithm::InFlight, "ip:192.0.2.1")
        },
    ];
    let receipt = Receipt::new(0xab, CountedIn::Store, charges);
    let text = receipt.to_string();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    assert!(text.starts_with(
        "1!000000000000000000000000000000ab!default!f60000!10!3!1700000000000!ip:192.0.2.1!burst!b"
    ));
    assert_eq!(text.parse(), Ok(receipt));
}

#[test]
fn a_trial_and_a_count_of_a_process_are_read_back() {
    let policy = Policy::new("default", "10/minute".parse().unwrap()).unwrap();
    let rollout =
        Rollout::Enforce { share: Share::ALL, candidate: Some("7/hour".parse().unwrap()) };
    let candidate = policy.with_rollout(rollout).unwrap().candidate_parts().pop().unwrap();
    let own = charge("default", Algorithm::FixedWindow, "ip:192.0.2.1");
    let trial = |policy: Arc<Policy>| ReceiptCharge { policy, is_trial: true, ..own.clone() };
    let trials = [trial(own.policy.clone()), trial(candidate.into())];
    let charges = [&[own.clone()][..], &trials].concat();
    let receipt = Receipt::new(0xab, CountedIn::Process(0xcd), charges);
    let text = receipt.to_string();
    assert!(text.starts_with("1p00000000000000cd!0000"), "{text}");
    assert!(text.contains("!default!F60000!") && text.contains("!default~candidate!F3600000!"));
    assert_eq!(text.parse(), Ok(receipt));
}

#[test]
fn a_window_by_the_calendar_is_read_back_with_its_time_zone() {
    for (quota, zone, layout) in [
        ("10/month", "Europe/Berlin", "cmEurope/Berlin"),
        ("10/week", "America/New_York", "cw7America/New_York"),
        ("10/day", "Etc/GMT+5", "cdEtc/GMT+5"),
    ] {
        let policy = Policy::new("p", quota.parse().unwrap()).unwrap();
        let policy = policy.with_timezone(zone.parse().unwrap(), Weekday::Sunday).unwrap();
        let charge = ReceiptCharge {
            policy: policy.into(),
            ..charge("p", Algorithm::FixedWindow, "ip:192.0.2.1")
        };
        let trial = ReceiptCharge { is_trial: true, ..charge.clone() };
        let receipt = Receipt::new(1, CountedIn::Store, vec![charge, trial]);
        let text = receipt.to_string();
        assert!(text.contains(&format!("!p!{layout}!10!3!")), "{text}");
        let of_trial = format!("!p!C{}!10!3!", &layout[1..]);
        assert!(text.contains(&of_trial), "{text}");
        let read: Receipt = text.parse().unwrap();
        let [charge, trial] = read.charges() else { panic!("{read:?}") };
        assert!(!charge.is_trial && trial.is_trial);
        for it in [charge, trial] {
            assert_eq!(it.policy.quota(), receipt.charges()[0].policy.quota());
        }
    }
}

#[test]
fn other_texts_are_refused() {
    let head = "1!000000000000000000000000000000ab";
    let charge = "default!f60000!10!3!1700000000000!ip:192.0.2.1";
    assert!(format!("{head}!{charge}").parse::<Receipt>().is_ok());
    for bad in [
        "".to_owned(),
        "x".to_owned(),
        head.to_owned(),
        format!("2{}!{charge}", &head[1..]),
        format!("1p{}!{charge}", &head[1..]),
        format!("1p00000000000000c{}!{charge}", &head[1..]),
        format!("1p+0000000000000cd{}!{charge}", &head[1..]),
        format!("1q00000000000000cd{}!{charge}", &head[1..]),
        format!("{head}!a~candidate!f60000!10!3!1!ip"),
        format!("{}!{charge}", &head[..33]),
        format!("{}g!{charge}", &head[..33]),
        format!("{head}!{charge}!"),
        format!("{head}!{charge}!more"),
        format!("{head}!!f60000!10!3!1!ip"),
        format!("{head}!a:b!f60000!10!3!1!ip"),
        format!("{head}!a!x60000!10!3!1!ip"),
        format!("{head}!a!é60000!10!3!1!ip"),
        format!("{head}!a!f0!10!3!1!ip"),
        format!("{head}!a!cmAtlantis!10!3!1!ip"),
        format!("{head}!a!cmUTC!0!3!1!ip"),
        format!("{head}!a!f60000!0!3!1!ip"),
        format!("{head}!a!f60000!10!0!1!ip"),
        format!("{head}!a!f60000!10!9007199254740992!1!ip"),
        format!("{head}!a!f60000!10!3!-1!ip"),
        format!("{head}!a!f60000!10!3!1!"),
        format!("{head}!a!f60000!10!3!1!ip}}:other:{{"),
        format!("{head}!a!f60000!10!3!1!a b"),
        format!("{head}!a!l60000!10000000!3!1!ip"),
    ] {
        assert_eq!(bad.parse::<Receipt>(), Err(ReceiptError), "{bad}");
    }
}
