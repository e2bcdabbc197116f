//! Whose quota is how large: by user, by plan, or everyone's.

use super::*;

/// A limiter of 2 a day, 4 for the plan `pro` and 6 for the user `vip`, by `key`.
fn limiter(key: KeySource) -> Limiter {
    Limiter::builder(Arc::new(MemoryStore::new(100))).policy(with_plans(key)).build().unwrap()
}

fn with_plans(key: KeySource) -> Policy {
    policy("p", "2/day", OnStoreFailure::Local)
        .with_plan("pro", "4/day".parse().unwrap())
        .and_then(|policy| policy.with_user("vip", "6/day".parse().unwrap()))
        .unwrap()
        .with_key(key)
}

/// How many of 10 requests pass.
fn admitted(limiter: &Limiter, client: &Client<'_>) -> usize {
    let policies = limiter.policies(["p"]).unwrap();
    let check = || limiter.check(&policies, Cost::ONE, client).wait().unwrap();
    (0..10).filter(|_| check().is_allowed()).count()
}

#[test]
fn the_users_quota_beats_the_plans_and_that_beats_everyones() {
    for key in [KeySource::User, KeySource::UserOrIp] {
        let limiter = limiter(key);
        for (client, expected) in [
            (Client::user("a"), 2),
            (Client::user("b").with_plan("pro"), 4),
            (Client::user("vip"), 6),
            // A plan that no policy knows is none.
            (Client::user("c").with_plan("gold"), 2),
            (Client::user("d").with_plan(""), 2),
            (Client::user("e").with_plan("Pro"), 2),
            // Without a user there is nobody to have a plan.
            (Client::at([203, 0, 113, 7].into()).with_plan("pro"), 2),
        ] {
            assert_eq!(admitted(&limiter, &client), expected, "{client:?}");
        }
        let vip = Client::user("vip").with_plan("pro");
        assert_eq!(admitted(&limiter, &vip), 0, "one count, whatever the plan");
    }
}

#[test]
fn what_many_share_has_one_quota_whatever_their_plans() {
    let headers = |_: &str| Some(std::borrow::Cow::Borrowed(&b"abc"[..]));
    for key in [KeySource::Ip, KeySource::Global, KeySource::Header("x-key".into())] {
        for client in [Client::user("vip"), Client::user("a").with_plan("pro")] {
            let client = client.with_address([203, 0, 113, 7].into()).with_headers(&headers);
            assert_eq!(admitted(&limiter(key.clone()), &client), 2, "by {key}");
        }
    }
}

#[test]
fn a_decision_has_the_policys_name_and_the_numbers_of_the_plan() {
    let limiter = limiter(KeySource::User);
    let policies = limiter.policies(["p"]).unwrap();
    let client = Client::user("a").with_plan("pro");
    let decision = limiter.peek(&policies, Cost::ONE, &client).wait().unwrap();
    let (policy, standing) = decision.policies().next().unwrap();
    assert_eq!((policy.name(), policy.quota().units(), standing.remaining), ("p", 4, 4));
}

#[test]
fn without_a_store_a_process_counts_its_share_of_the_plans_quota() {
    for (instances, shares) in [(1, [2, 4, 6]), (2, [1, 2, 3])] {
        let limiter = without_store([with_plans(KeySource::User)])
            .instances(NonZeroU64::new(instances).unwrap())
            .build()
            .unwrap();
        let clients = [Client::user("a"), Client::user("b").with_plan("pro"), Client::user("vip")];
        assert_eq!(clients.map(|client| admitted(&limiter, &client)), shares);
    }
}

#[test]
fn plans_of_two_windows_count_beside_each_other_and_a_reset_makes_both_whole() {
    let policy = with_plans(KeySource::User).with_plan("hourly", "3/hour".parse().unwrap());
    let store = Arc::new(MemoryStore::new(100));
    let limiter = Limiter::builder(store).policy(policy.unwrap()).build().unwrap();
    let user = Client::user("a");
    let all = || ["pro", "hourly"].map(|plan| admitted(&limiter, &user.with_plan(plan)));
    assert_eq!(all(), [4, 3]);
    assert_eq!(all(), [0, 0]);
    let policies = limiter.policies(["p"]).unwrap();
    let reset = limiter.reset(&policies, &user);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::pin!(reset).as_mut().poll(&mut context).is_ready());
    assert_eq!(all(), [4, 3]);
}
