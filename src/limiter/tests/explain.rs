//! An explanation says what an admission would be, and charges nothing.

use std::pin::pin;
use std::time::Duration;

use super::admission::{Request, becomes, decided, to};
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::policy::Rollout;
use crate::domain::standing::Retry;
use crate::limiter::{Explanation, Note, PolicyRole, QuotaSource, Verdict};

const HOUR: Duration = Duration::from_secs(3_600);

fn limiter(store: Arc<dyn Store>) -> Limiter {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let overrides = Arc::new(MemoryStore::with_clock(100, clock.clone()));
    let of = |name, quota| policy(name, quota, OnStoreFailure::Deny);
    let in_rollout = |policy: Policy, rollout| policy.with_rollout(rollout).unwrap();
    let share = Rollout::Enforce { share: "0%".parse().unwrap(), candidate: None };
    Limiter::builder(store)
        .policy(of("one", "2/day"))
        .policy(of("special", "5/day").with_user("vip", "9/day".parse().unwrap()).unwrap())
        .policy(in_rollout(of("tried", "1/day"), Rollout::Shadow))
        .policy(in_rollout(of("nobody", "1/day"), share))
        .policy(in_rollout(of("off", "1/day"), Rollout::Off))
        .policy(of("elsewhere", "1/day"))
        .route("/one", ["one"], ["special"])
        .route("/all", ["one", "special", "tried", "nobody", "off"], [])
        .route("/tried", ["tried", "off"], [])
        .allow(["user:ann".parse().unwrap()])
        .block(["user:eve".parse().unwrap()])
        .overrides(Overrides::start(overrides, HOUR, clock).unwrap())
        .build()
        .unwrap()
}

fn in_memory() -> Limiter {
    limiter(Arc::new(MemoryStore::new(100)))
}

fn explained(limiter: &Limiter, request: &Request) -> Explanation {
    decided(pin!(limiter.explain(request)))
}

#[test]
fn an_explanation_is_what_an_admission_then_is() {
    let limiter = in_memory();
    let note = Note::new("ann", "a test");
    limiter.ban("user:bob", None, HOUR, note).unwrap();
    limiter.ban("user:ann", Some("special"), HOUR, note).unwrap();
    for path in ["/one", "/all", "/tried", "/none"] {
        for user in ["ann", "bob", "eve", "cid"] {
            for _ in 0..3 {
                let request = to(path, user);
                let verdict = explained(&limiter, &request).verdict;
                assert_eq!(explained(&limiter, &request).verdict, verdict, "nothing is charged");
                let expected = match verdict {
                    Verdict::Unlimited | Verdict::Allowed => &["passes untold", "passes"][..],
                    Verdict::Blocked => &["is blocked"],
                    Verdict::Banned => &["is banned"],
                    Verdict::Admitted => &["passes"],
                    Verdict::Denied => &["is denied"],
                    Verdict::Unknown => &[],
                };
                let becomes = becomes(&limiter, &request);
                assert!(expected.contains(&becomes), "{path} of {user}: {verdict:?}, {becomes}");
            }
        }
    }
}

#[test]
fn each_policy_has_its_role_and_whose_quota_it_is() {
    let limiter = in_memory();
    limiter.disable("special", None, Note::new("ann", "a test")).unwrap();
    let explanation = explained(&limiter, &to("/all", "vip"));
    let seen = |it: &Explanation| -> Vec<_> {
        let policies = it.policies.iter();
        policies.map(|it| (it.policy.name().to_owned(), it.role, it.standing.is_some())).collect()
    };
    let expected = [
        ("one", PolicyRole::InForce, true),
        ("special", PolicyRole::Disabled, false),
        ("tried", PolicyRole::Shadow, true),
        ("nobody", PolicyRole::OutsideShare, true),
        ("off", PolicyRole::Off, false),
    ];
    assert_eq!(
        seen(&explanation),
        expected.map(|(name, role, stands)| (name.into(), role, stands))
    );
    assert!(explanation.policies.iter().all(|it| &*it.key == "user:vip"));
    let unmet: Vec<_> = explanation.unmet.iter().map(|it| it.name()).collect();
    assert_eq!(unmet, ["elsewhere"]);
    limiter.enable("special", Note::new("ann", "a test")).unwrap();
    let peeked = &explained(&limiter, &to("/one", "vip")).policies[1];
    assert_eq!((peeked.policy.name(), peeked.role), ("special", PolicyRole::Peeked));
}

#[test]
fn a_quota_has_its_source() {
    let limiter = in_memory();
    let source = |user| {
        let explanation = explained(&limiter, &to("/all", user));
        let special = &explanation.policies[1];
        (special.source, special.policy.quota().units(), special.standing.unwrap().remaining)
    };
    assert_eq!(source("cid"), (QuotaSource::Policy, 5, 5));
    assert_eq!(source("vip"), (QuotaSource::User, 9, 9));
    let note = Note::new("ann", "a test");
    limiter.boost("user:vip", Some("special"), "70/day".parse().unwrap(), HOUR, note).unwrap();
    assert_eq!(source("vip"), (QuotaSource::Boost, 70, 70));
}

#[test]
fn a_cost_that_does_not_fit_is_a_denial() {
    let limiter = in_memory();
    let mut request = to("/one", "cid");
    request.cost = Cost::new(3);
    let explanation = explained(&limiter, &request);
    assert_eq!(explanation.verdict, Verdict::Denied);
    assert_eq!(explanation.policies[0].standing.unwrap().retry, Retry::Never);
}

#[test]
fn a_store_that_cannot_be_asked_is_no_admission() {
    let limiter = limiter(Arc::new(Failing));
    let explanation = explained(&limiter, &to("/one", "cid"));
    assert_eq!(explanation.verdict, Verdict::Unknown);
    assert_eq!(explanation.unknown.unwrap().kind(), StoreErrorKind::TimedOut);
    assert!(explanation.policies.iter().all(|it| it.standing.is_none() && !it.admits()));
    let blocked = explained(&limiter, &to("/one", "eve"));
    assert_eq!(blocked.verdict, Verdict::Blocked, "that does not take the store");
}

#[test]
fn an_explanation_shows_each_quota_of_a_policy_and_that_one_does_not_apply() {
    let network = "10.0.0.0/8".parse().unwrap();
    let several = policy("several", "9/day", OnStoreFailure::Deny)
        .with_further_quota("2/hour".parse().unwrap())
        .and_then(|it| it.with_user("vip", "unlimited".parse().unwrap()))
        .and_then(|it| it.with_network(network, "7/day".parse().unwrap()))
        .unwrap();
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(100)))
        .policy(several)
        .route("/several", ["several"], [])
        .build()
        .unwrap();
    let told = |user: &'static str| {
        let explanation = explained(&limiter, &to("/several", user));
        let of = |it: &crate::limiter::ExplainedPolicy| {
            (it.policy.quota().to_string(), it.source, it.role, it.standing.is_some())
        };
        (explanation.verdict, explanation.policies.iter().map(of).collect::<Vec<_>>())
    };
    let own = |quota: &str| (quota.to_owned(), QuotaSource::Policy, PolicyRole::InForce, true);
    assert_eq!(told("bob"), (Verdict::Admitted, vec![own("9/day"), own("2/hour")]));
    let unlimited = ("9/day".to_owned(), QuotaSource::User, PolicyRole::Unlimited, false);
    assert_eq!(told("vip"), (Verdict::Unlimited, vec![unlimited]));
    for verdict in [Verdict::Admitted, Verdict::Admitted, Verdict::Denied] {
        assert_eq!(told("bob").0, verdict);
        becomes(&limiter, &to("/several", "bob"));
    }
}
