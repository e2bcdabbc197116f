//! Who is refused, and who passes unchecked.

use super::*;

fn entries(texts: &[&str]) -> Vec<AccessEntry> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn who_is_on_both_lists_is_blocked() {
    let limiter = Limiter::builder(Arc::new(Failing))
        .allow(entries(&["10.0.0.0/8", "user:ann", "user:eve"]))
        .block(entries(&["10.6.6.0/24", "user:eve"]))
        .build()
        .unwrap();
    let at = |address: [u8; 4]| Client::at(address.into());
    for (client, expected) in [
        (at([10, 0, 0, 1]), Access::Allowed),
        (at([10, 6, 6, 6]), Access::Blocked),
        (at([192, 0, 2, 1]), Access::Limited),
        (at([192, 0, 2, 1]).with_user("ann"), Access::Allowed),
        // Neither a name nor an address makes up for the other.
        (at([10, 6, 6, 6]).with_user("ann"), Access::Blocked),
        (at([10, 0, 0, 1]).with_user("eve"), Access::Blocked),
        (Client::unknown(), Access::Limited),
    ] {
        assert_eq!(limiter.access(&client), expected, "{client:?}");
    }
}

#[test]
fn a_limiter_without_lists_says_so() {
    let builder = || Limiter::builder(Arc::new(Failing));
    assert!(!builder().build().unwrap().has_access_lists());
    assert!(builder().allow(entries(&["::1"])).build().unwrap().has_access_lists());
    assert!(builder().block(entries(&["user:eve"])).build().unwrap().has_access_lists());
}

#[cfg(any(feature = "actix", feature = "tower"))]
#[test]
fn an_address_is_only_looked_for_if_it_matters() {
    use std::cell::Cell;

    let looked = Cell::new(0);
    let find = || {
        looked.set(looked.get() + 1);
        Some([10, 6, 6, 6].into())
    };
    let client = Client::unknown().with_address_by(&find);
    let asks = |key: &str, block: &[&str]| {
        let policy = policy("p", "9/day", OnStoreFailure::Deny).with_key(key.parse().unwrap());
        let builder = Limiter::builder(Arc::new(MemoryStore::new(100))).policy(policy);
        let limiter = builder.block(entries(block)).build().unwrap();
        looked.set(0);
        let access = limiter.access(&client);
        let checked = limiter.check(&limiter.policies(["p"]).unwrap(), Cost::ONE, &client);
        assert!(checked.wait().unwrap().is_allowed());
        (access, looked.get())
    };
    assert_eq!(asks("header:x-key", &[]), (Access::Limited, 0));
    assert_eq!(asks("ip", &[]), (Access::Limited, 1));
    assert_eq!(asks("header:x-key", &["10.0.0.0/8"]), (Access::Blocked, 1));
}

#[cfg(feature = "server")]
#[test]
fn a_client_on_allow_may_fail_as_often_as_it_likes() {
    use std::pin::pin;

    use super::admission::decided;
    use crate::limiter::{Admission, Failures};

    let failures = policy("failures", "1/day", OnStoreFailure::Deny).with_key(KeySource::Ip);
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(100)))
        .policy(failures)
        .allow(entries(&["10.0.0.0/8"]))
        .block(entries(&["10.6.6.6"]))
        .build()
        .unwrap();
    let failures = Failures::new(limiter.clone(), limiter.policies(["failures"]).unwrap());
    let outcomes = |address: [u8; 4]| {
        let client = Client::at(address.into());
        let passes = |admission| matches!(admission, Admission::Passes(_));
        [0; 3].map(|_| {
            let may_try = passes(decided(pin!(failures.may_try(&client))));
            (may_try, passes(decided(pin!(failures.charge(&client)))))
        })
    };
    assert_eq!(outcomes([10, 0, 0, 1]), [(true, true); 3]);
    assert_eq!(outcomes([192, 0, 2, 1]), [(true, true), (false, false), (false, false)]);
    // `block` holds for whoever is on both lists.
    assert_eq!(outcomes([10, 6, 6, 6]), [(true, true), (false, false), (false, false)]);
}
