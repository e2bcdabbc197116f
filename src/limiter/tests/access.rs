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
