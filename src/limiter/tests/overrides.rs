//! What operators change for single clients.

use std::time::Duration;

use super::admission::{Request, becomes, to};
use super::*;
use crate::domain::algorithm::Algorithm;
use crate::domain::clock::ManualClock;
use crate::domain::quota::Quota;
use crate::limiter::{Effect, Note, OverrideError, OverrideWarning};

const HOUR: Duration = Duration::from_secs(3_600);

fn note() -> Note<'static> {
    Note::new("ann", "a test")
}

/// A process that counts in `store`. Its thread does not read overrides during a test.
fn process(store: &Arc<MemoryStore>, clock: &Arc<ManualClock>) -> Limiter {
    let overrides = Overrides::start(store.clone(), HOUR, clock.clone()).unwrap();
    Limiter::builder(store.clone())
        .policy(policy("one", "1/day", OnStoreFailure::Deny))
        .policy(policy("other", "9/day", OnStoreFailure::Deny))
        .route("/one", ["one"], [])
        .route("/both", ["one", "other"], [])
        .route("/other", ["other"], [])
        .allow(["user:ann".parse().unwrap()])
        .block(["user:eve".parse().unwrap()])
        .overrides(overrides)
        .deny_cache(Duration::from_secs(60), clock.clone())
        .trusted_proxies(["10.0.0.0/8".parse().unwrap()])
        .build()
        .unwrap()
}

fn setup() -> (Limiter, Arc<MemoryStore>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let store = Arc::new(MemoryStore::with_clock(1_000, clock.clone()));
    (process(&store, &clock), store, clock)
}

#[test]
fn a_banned_client_is_refused_whatever_it_asks_for_until_the_ban_ends() {
    let (limiter, _, clock) = setup();
    for user in ["bob", "ann", "eve"] {
        limiter.ban(&format!("user:{user}"), None, HOUR, note()).unwrap();
    }
    for path in ["/one", "/none"] {
        // Even if an access list lets it pass. If one blocks it, that comes first.
        let becomes = ["bob", "ann", "eve", "cid"].map(|user| becomes(&limiter, &to(path, user)));
        assert_eq!(becomes[..3], ["is banned", "is banned", "is blocked"]);
        assert!(becomes[3].starts_with("passes"), "{becomes:?}");
    }
    clock.advance(3_600_000 - 1);
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is banned");
    clock.advance(1);
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "passes", "nothing was charged meanwhile");
}

#[test]
fn a_ban_of_a_policy_refuses_what_meets_it() {
    let (limiter, _, _) = setup();
    limiter.ban("user:bob", Some("one"), HOUR, note()).unwrap();
    let becomes =
        ["/one", "/both", "/other", "/none"].map(|path| becomes(&limiter, &to(path, "bob")));
    assert_eq!(becomes, ["is banned", "is banned", "passes", "passes untold"]);
}

#[test]
fn an_address_is_banned_with_its_whole_network_and_whoever_its_user_is() {
    let (limiter, _, _) = setup();
    limiter.ban("ip:2001:db8::1", None, HOUR, note()).unwrap();
    limiter.ban("ip:203.0.113.7", None, HOUR, note()).unwrap();
    let is_banned = |address: &str| {
        let client = Client::at(address.parse().unwrap()).with_user("bob");
        limiter.banned(None, &client).is_some()
    };
    let addresses =
        ["2001:db8::ffff", "2001:db8:0:1::1", "203.0.113.7", "203.0.113.8", "::ffff:203.0.113.7"];
    assert_eq!(addresses.map(is_banned), [true, false, true, false, true]);
}

#[test]
fn a_boost_is_a_quota_of_one_client_and_what_was_used_stays_used() {
    let (limiter, _, _) = setup();
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "passes");
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is denied");
    let quota: crate::domain::quota::Quotas = "3/day".parse().unwrap();
    let changed = limiter.boost("user:bob", Some("one"), quota.clone(), HOUR, note()).unwrap();
    assert_eq!((changed.before, changed.after.unwrap().effect), (None, Effect::Boost(quota)));
    let requests = [0; 3].map(|_| becomes(&limiter, &to("/one", "bob")));
    assert_eq!(requests, ["passes", "passes", "is denied"]);
    assert_eq!(becomes(&limiter, &to("/one", "cid")), "passes");
    assert_eq!(becomes(&limiter, &to("/one", "cid")), "is denied", "others have their own quota");
    let changed = limiter.unboost("user:bob", Some("one"), note()).unwrap();
    assert!(changed.before.is_some() && changed.after.is_none());
    assert_eq!(becomes(&limiter, &to("/other", "bob")), "passes");
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is denied");
}

#[test]
fn a_boost_is_of_quotas_and_leaves_slots_and_their_reserve_as_they_are() {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let store = Arc::new(MemoryStore::with_clock(1_000, clock.clone()));
    let alone = Policy::new("alone", Quota::new(10, 30_000).unwrap()).unwrap();
    let alone = alone.with_algorithm(Algorithm::InFlight).unwrap();
    let beside = policy("beside", "20/hour", OnStoreFailure::Deny);
    let beside = beside.with_in_flight(5, 30_000).unwrap();
    let reserve = |policy: Policy| policy.with_reserve("40%".parse().unwrap()).unwrap();
    let limiter = Limiter::builder(store.clone())
        .policy(reserve(alone))
        .policy(reserve(beside))
        .overrides(Overrides::start(store, HOUR, clock).unwrap())
        .build()
        .unwrap();
    let rest = limiter.policies(["alone", "beside"]).unwrap();
    let units = |policies: &Policies| -> Vec<_> {
        let asked = limiter.asked_for(policies, Cost::ONE, 1, &Client::user("bob"));
        asked.charges.iter().map(|it| it.policy.terms().units).collect()
    };
    let boost =
        |policy| limiter.boost("user:bob", policy, "90/hour".parse().unwrap(), HOUR, note());
    assert_eq!((units(&rest), units(&rest.with_reserve())), (vec![6, 20, 3], vec![10, 20, 5]));
    let error = boost(Some("alone")).unwrap_err().to_string();
    assert!(error.contains("has no quota"), "{error}");
    boost(None).unwrap();
    assert_eq!((units(&rest), units(&rest.with_reserve())), (vec![6, 90, 3], vec![10, 90, 5]));
}

#[test]
fn a_boost_of_another_window_is_reset_as_well() {
    let (limiter, _, _) = setup();
    limiter.boost("user:bob", None, "2/hour".parse().unwrap(), HOUR, note()).unwrap();
    let requests = || [0; 3].map(|_| becomes(&limiter, &to("/one", "bob")));
    assert_eq!(requests(), ["passes", "passes", "is denied"]);
    let one = limiter.policies(["one"]).unwrap();
    let bob = Client::user("bob");
    let mut reset = std::pin::pin!(limiter.reset(&one, &bob));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(reset.as_mut().poll(&mut context).is_ready());
    assert_eq!(requests(), ["passes", "passes", "is denied"]);
}

#[test]
fn a_policy_that_is_switched_off_neither_decides_nor_counts() {
    let (limiter, _, clock) = setup();
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "passes");
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is denied");
    limiter.disable("one", Some(HOUR), note()).unwrap();
    for _ in 0..3 {
        assert!(becomes(&limiter, &to("/one", "bob")).starts_with("passes"));
        assert!(becomes(&limiter, &to("/one", "cid")).starts_with("passes"));
    }
    limiter.enable("one", note()).unwrap();
    assert_eq!(becomes(&limiter, &to("/one", "bob")), "is denied");
    assert_eq!(becomes(&limiter, &to("/one", "cid")), "passes");
    limiter.disable("one", Some(HOUR), note()).unwrap();
    clock.advance(3_600_000);
    assert_eq!(becomes(&limiter, &to("/one", "cid")), "is denied");
}

#[test]
fn changes_of_two_processes_are_all_kept_and_listed_with_who_and_why() {
    let (one, store, clock) = setup();
    let other = process(&store, &clock);
    one.ban("user:bob", None, HOUR, note()).unwrap();
    // It has not read the table again, and still loses nothing.
    other.ban("user:cid", None, HOUR, Note::new("bea", "too fast")).unwrap();
    let again = one.ban("user:bob", None, 2 * HOUR, note()).unwrap();
    assert!(again.before.is_some());
    let listed = one.list_overrides().unwrap();
    let keys: Vec<_> = listed.overrides.iter().filter_map(|it| it.key.as_deref()).collect();
    assert_eq!(keys, ["user:cid", "user:bob"]);
    assert_eq!(becomes(&other, &to("/one", "bob")), "is banned");
    let audit = other.audit(10).unwrap();
    let lines: Vec<_> = audit
        .iter()
        .map(|it| {
            format!("{} {} by {}: {} -> {}", it.action, it.subject, it.by, it.before, it.after)
        })
        .collect();
    assert_eq!(
        lines,
        [
            "ban user:bob by ann: banned for 3600 s -> banned for 7200 s",
            "ban user:cid by bea: nothing -> banned for 3600 s",
            "ban user:bob by ann: nothing -> banned for 3600 s",
        ]
    );
}

#[test]
fn what_cannot_be_is_an_error_and_what_may_not_be_meant_is_a_warning() {
    let (limiter, _, _) = setup();
    let ban = |key: &str, policy: Option<&str>, lasts| limiter.ban(key, policy, lasts, note());
    assert!(matches!(ban("bob", None, HOUR), Err(OverrideError::Key(_))));
    assert!(matches!(ban("user:bob", Some("none"), HOUR), Err(OverrideError::UnknownPolicy(_))));
    assert!(matches!(ban("user:bob", None, Duration::ZERO), Err(OverrideError::Duration)));
    let bad = limiter.ban("user:bob", None, HOUR, Note::new("ann", "two\nlines"));
    assert!(matches!(bad, Err(OverrideError::Note)));
    assert!(limiter.list_overrides().unwrap().overrides.is_empty());
    for (key, warnings) in [
        ("user:bob", vec![]),
        ("ip:10.1.2.3", vec![OverrideWarning::TrustedProxy]),
        ("global", vec![OverrideWarning::ManyClients, OverrideWarning::NoPolicy]),
        ("header:x-key:a", vec![OverrideWarning::NoPolicy]),
    ] {
        assert_eq!(limiter.warnings_of(key, None).unwrap(), warnings, "{key}");
    }
}

#[test]
fn a_skipped_request_of_a_banned_client_is_refused() {
    let (limiter, _, _) = setup();
    limiter.ban("user:bob", None, HOUR, note()).unwrap();
    let mut request: Request = to("/one", "bob");
    request.is_skipped = true;
    assert_eq!(becomes(&limiter, &request), "is banned");
}
