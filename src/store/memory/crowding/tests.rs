use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::domain::policy::Policy;
use crate::store::Keyspace;

fn charge(quota: &str, identity: &Identity<'_>) -> Charge {
    let policy = Arc::new(Policy::new("p", quota.parse().unwrap()).unwrap());
    let key = Keyspace::new("t").key(identity, &policy);
    Charge::new(policy, key)
}

fn ip(address: &str, length: u8) -> Charge {
    let prefix = Ipv6Prefix::new(length).unwrap();
    charge("10/minute", &Identity::ip(address.parse().unwrap(), prefix))
}

/// The levels that a charge is counted at as a room fills, and the limits of each.
fn levels(charge: &Charge) -> Vec<(Level, usize)> {
    let mut counted = Counted::own(&charge.key);
    let mut levels = vec![(counted.level, counted.limit(&charge.key))];
    while counted.level != Level::Overflow {
        counted = counted.coarser(charge, 10);
        levels.push((counted.level, counted.limit(&charge.key)));
    }
    levels.pop();
    levels
}

#[test]
fn ipv6_is_counted_ever_coarser_and_all_else_by_itself_or_together() {
    use Level::{Own, Provider, Site};
    for (length, expected) in [
        (128, &[(Own, 80), (Site, 90), (Provider, 100)][..]),
        (64, &[(Own, 80), (Site, 90), (Provider, 100)]),
        (49, &[(Own, 80), (Site, 90), (Provider, 100)]),
        (48, &[(Own, 90), (Provider, 100)]),
        (33, &[(Own, 90), (Provider, 100)]),
        (32, &[(Own, 100)]),
        (1, &[(Own, 100)]),
    ] {
        assert_eq!(levels(&ip("2001:db8:1:2:3:4:5:6", length)), expected, "/{length}");
    }
    for identity in [
        Identity::ip([203, 0, 113, 7].into(), Ipv6Prefix::default()),
        Identity::user("2001:db8::/64"),
        Identity::header("ip", "2001:db8::/64"),
        Identity::Global,
        Identity::NoIp,
        Identity::NoUser,
    ] {
        assert_eq!(levels(&charge("1/day", &identity)), [(Own, 100)], "{identity}");
    }
}

/// The name of the count of `address` at each level.
fn fingerprints(address: &str) -> [Fingerprint; 4] {
    let charge = ip(address, 64);
    let own = Counted::own(&charge.key);
    let site = own.coarser(&charge, 100);
    let provider = site.coarser(&charge, 100);
    [own, site, provider, provider.coarser(&charge, 100)].map(|counted| counted.fingerprint)
}

#[test]
fn neighbours_share_the_count_of_the_network_that_both_are_in() {
    let [own, site, provider, overflow] = fingerprints("2001:db8:1:2::1");
    assert_eq!(fingerprints("2001:db8:1:2:ffff::")[0], own);
    let in_site = fingerprints("2001:db8:1:3::1");
    assert_ne!(in_site[0], own);
    assert_eq!(in_site[1..], [site, provider, overflow]);
    let in_provider = fingerprints("2001:db8:2:2::1");
    assert_ne!(in_provider[1], site);
    assert_eq!(in_provider[2..], [provider, overflow], "a provider has one overflow count");
    assert_ne!(fingerprints("2001:db9:1:2::1")[2], provider);
}

#[test]
fn new_keys_are_spread_evenly_over_the_overflow_counts_of_their_quota() {
    let count = |quota: &str, user: u32| {
        let charge = charge(quota, &Identity::user(user.to_string()));
        Counted::own(&charge.key).coarser(&charge, 10).fingerprint
    };
    let mut users: HashMap<Fingerprint, u32> = HashMap::new();
    for user in 0..10_000 {
        *users.entry(count("10/minute", user)).or_default() += 1;
        assert_eq!(count("10/minute", user), count("10/minute", user), "always the same one");
    }
    assert_eq!(users.len(), 10);
    assert!(users.values().all(|users| (800..1_200).contains(users)), "{users:?}");
    let of_a_plan = (0..100).map(|user| count("1000/minute", user));
    assert!(of_a_plan.into_iter().all(|it| !users.contains_key(&it)), "a plan has its own");
}
