//! Policies with several quotas that hold together.

use std::pin::pin;
use std::sync::Mutex;

use super::admission::decided;
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::penalty::Penalty;
use crate::domain::policy::Rollout;
use crate::domain::standing::Retry;
use crate::limiter::{DecisionEvent, Observer, TrialKind};

const MINUTE: u64 = 60_000;
const NOON: u64 = 1_700_049_600_000;

struct Setup {
    limiter: Limiter,
    clock: Arc<ManualClock>,
    seen: Arc<Seen>,
}

/// What an observer saw.
#[derive(Debug, Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        let policies = event.policies().map(|met| {
            let closed = if met.is_closed() { " closed" } else { "" };
            format!("{} of {}{closed}", met.charge.policy.name(), met.charges.len())
        });
        let trials = event.trials.iter().map(|trial| {
            let kind = if trial.kind == TrialKind::Shadow { "shadow" } else { "candidate" };
            format!(
                "{} as {kind} {}",
                trial.policy.name(),
                if trial.admits { "admits" } else { "denies" }
            )
        });
        let told = policies.chain(trials).collect::<Vec<_>>().join(", ");
        self.0.lock().unwrap().push(format!("{:?}: {told}", event.outcome));
    }
}

impl Setup {
    fn of(policies: impl IntoIterator<Item = Policy>) -> Self {
        let clock = Arc::new(ManualClock::new(NOON));
        let store = Arc::new(MemoryStore::with_clock(100, clock.clone()));
        let seen = Arc::new(Seen::default());
        let builder = Limiter::builder(store).observer(seen.clone());
        let builder = policies.into_iter().fold(builder, LimiterBuilder::policy);
        Self { limiter: builder.build().unwrap(), clock, seen }
    }

    fn check(&self, names: &[&str], client: &Client<'_>) -> Decision {
        let policies = self.limiter.policies(names).unwrap();
        self.limiter.check(&policies, Cost::ONE, client).wait().unwrap()
    }

    /// How many of 20 requests pass.
    fn admitted(&self, client: &Client<'_>) -> usize {
        (0..20).filter(|_| self.check(&["p"], client).is_allowed()).count()
    }

    fn last_seen(&self) -> String {
        self.seen.0.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

fn several(name: &str, quotas: &[&str]) -> Policy {
    let first = policy(name, quotas[0], OnStoreFailure::Local);
    let mut further = quotas[1..].iter().map(|quota| quota.parse().unwrap());
    further.try_fold(first, Policy::with_further_quota).unwrap()
}

fn remaining(decision: &Decision) -> Vec<(String, u64)> {
    let of = |(policy, standing): (&Policy, &crate::Standing)| {
        (policy.quota().to_string(), standing.remaining)
    };
    decision.policies().map(of).collect()
}

#[test]
fn a_request_is_admitted_by_all_quotas_of_a_policy_or_charged_to_none() {
    let setup = Setup::of([several("p", &["6/hour", "4/minute"])]);
    assert_eq!(setup.admitted(&someone()), 4);
    let denied = setup.check(&["p"], &someone());
    let left = |hour, minute| [("6/hour".to_owned(), hour), ("4/minute".to_owned(), minute)];
    assert_eq!(remaining(&denied), left(2, 0), "a denied request uses nothing of the hour");
    assert_eq!(denied.violated().count(), 1);
    assert_eq!(denied.retry_after(), Some(std::time::Duration::from_millis(MINUTE)));
    assert_eq!(setup.last_seen(), "Denied: p of 2 closed");
    setup.clock.advance(MINUTE);
    assert_eq!(setup.admitted(&someone()), 2);
    let denied = setup.check(&["p"], &someone());
    assert_eq!(remaining(&denied), left(0, 2));
}

#[test]
fn plans_users_and_networks_may_have_several_quotas_or_none() {
    let network = |text: &str| text.parse().unwrap();
    let policy = several("p", &["9/hour", "2/minute"])
        .with_plan("pro", "9/hour; 5/minute".parse().unwrap())
        .and_then(|it| it.with_plan("free", "7/hour".parse().unwrap()))
        .and_then(|it| it.with_plan("partner", "unlimited".parse().unwrap()))
        .and_then(|it| it.with_user("vip", "unlimited".parse().unwrap()))
        .and_then(|it| it.with_user("bad", "1/hour".parse().unwrap()))
        .and_then(|it| it.with_network(network("10.0.0.0/8"), "8/hour; 4/minute".parse().unwrap()))
        .and_then(|it| it.with_network(network("10.1.0.0/16"), "unlimited".parse().unwrap()))
        .and_then(|it| it.with_network(network("2001:db8::/32"), "3/hour".parse().unwrap()))
        .unwrap();
    let at = |address: &str| Client::at(address.parse().unwrap());
    let setup = Setup::of([policy.clone()]);
    for (client, expected) in [
        (Client::user("a"), 2),
        (Client::user("b").with_plan("pro"), 5),
        (Client::user("c").with_plan("free"), 7),
        (Client::user("d").with_plan("partner"), 20),
        (Client::user("vip").with_plan("free"), 20),
        // The user beats the plan, and a user has no network.
        (Client::user("bad").with_plan("partner"), 1),
        (at("10.1.0.1").with_user("e"), 2),
        (at("10.2.0.1"), 4),
        (at("::ffff:10.2.0.2"), 4),
        (at("10.1.0.1"), 20),
        (at("2001:db8::1"), 3),
        (at("203.0.113.7"), 2),
    ] {
        assert_eq!(setup.admitted(&client), expected, "{client:?}");
    }
    // One count for all addresses of an IPv6 client.
    assert_eq!(setup.admitted(&at("2001:db8::2")), 0);
    // By address alone, users have the quota of their network.
    let setup = Setup::of([policy.clone().with_key(KeySource::Ip)]);
    assert_eq!(setup.admitted(&at("10.1.0.1").with_user("bad")), 20);
    assert_eq!(setup.admitted(&at("10.2.0.1").with_user("vip")), 4);
    // What many share has the quota of the policy.
    for key in [KeySource::Global, KeySource::User] {
        let setup = Setup::of([policy.clone().with_key(key.clone())]);
        assert_eq!(setup.admitted(&at("10.1.0.1")), 2, "{key}");
    }
}

#[test]
fn by_user_and_address_the_quota_of_the_user_or_the_plan_beats_that_of_the_network() {
    let policy = several("p", &["9/hour", "2/minute"])
        .with_key(KeySource::all_of([KeySource::Ip, KeySource::User]).unwrap())
        .with_user("vip", "6/minute".parse().unwrap())
        .and_then(|it| it.with_plan("pro", "5/minute".parse().unwrap()))
        .and_then(|it| it.with_network("10.0.0.0/8".parse().unwrap(), "3/minute".parse().unwrap()))
        .unwrap();
    let setup = Setup::of([policy]);
    let [within, beyond] = [[10, 0, 0, 1], [203, 0, 113, 7]].map(|it| Client::at(it.into()));
    for (client, expected) in [
        (within.with_user("vip").with_plan("pro"), 6),
        (within.with_user("a").with_plan("pro"), 5),
        (within.with_user("b"), 3),
        (within, 3),
        (beyond.with_user("b"), 2),
    ] {
        assert_eq!(setup.admitted(&client), expected, "{client:?}");
    }
}

#[test]
fn who_is_unlimited_under_one_policy_still_meets_the_others() {
    let unlimited = several("p", &["2/hour"]).with_user("vip", "unlimited".parse().unwrap());
    let setup = Setup::of([unlimited.unwrap(), several("all", &["3/hour"])]);
    let vip = Client::user("vip");
    let decision = setup.check(&["p", "all"], &vip);
    assert_eq!(remaining(&decision), [("3/hour".to_owned(), 2)], "the other is in no field");
    assert!(setup.check(&["p", "all"], &vip).is_allowed());
    assert!(setup.check(&["p", "all"], &vip).is_allowed());
    assert!(!setup.check(&["p", "all"], &vip).is_allowed());
    assert_eq!(setup.admitted(&vip), 20);
    assert_eq!(setup.last_seen(), "Unlimited: ", "it is a request all the same");
}

#[test]
fn one_request_that_two_quotas_deny_is_one_denial_for_the_penalty() {
    let penalty = Penalty::new(3, MINUTE, MINUTE, MINUTE).unwrap();
    let setup = Setup::of([several("p", &["2/hour", "2/minute"]).with_penalty(penalty)]);
    assert_eq!((0..2).filter(|_| setup.check(&["p"], &someone()).is_allowed()).count(), 2);
    for _ in 0..2 {
        let denied = setup.check(&["p"], &someone());
        assert_eq!((denied.violated().count(), denied.banned()), (2, None));
    }
    let banned = setup.check(&["p"], &someone());
    assert_eq!(banned.banned().and_then(|it| it.policy()), Some("p"));
    // A denial by the second quota alone counts as well.
    let setup = Setup::of([several("p", &["9/hour", "1/minute"]).with_penalty(penalty)]);
    let outcomes = (0..4).map(|_| setup.check(&["p"], &someone()).banned().is_some());
    assert_eq!(outcomes.collect::<Vec<_>>(), [false, false, false, true]);
}

#[test]
fn several_quotas_are_tried_out_together() {
    let shadow = several("p", &["3/hour", "2/minute"]).with_rollout(Rollout::Shadow).unwrap();
    let setup = Setup::of([shadow]);
    let tried = |setup: &Setup| {
        assert!(setup.check(&["p"], &someone()).is_allowed());
        setup.last_seen()
    };
    let admits = ["Admitted: p as shadow admits"; 2];
    assert_eq!([tried(&setup), tried(&setup)], admits);
    assert_eq!(tried(&setup), "Admitted: p as shadow denies");
    setup.clock.advance(MINUTE);
    // What the minute denied was not charged to the hour.
    assert_eq!(tried(&setup), "Admitted: p as shadow admits");
    assert_eq!(tried(&setup), "Admitted: p as shadow denies");

    let quotas = Some("4/hour; 3/minute".parse().unwrap());
    let rollout = Rollout::Enforce { share: crate::Share::ALL, candidate: quotas };
    let setup = Setup::of([several("p", &["2/hour", "1/minute"]).with_rollout(rollout).unwrap()]);
    let tried = |setup: &Setup| {
        setup.check(&["p"], &someone());
        setup.last_seen()
    };
    assert_eq!(tried(&setup), "Admitted: p of 2 closed, p as candidate admits");
    for _ in 0..2 {
        assert_eq!(tried(&setup), "Denied: p of 2 closed, p as candidate admits");
    }
    assert_eq!(tried(&setup), "Denied: p of 2 closed, p as candidate denies");
    setup.clock.advance(MINUTE);
    assert_eq!(tried(&setup), "Admitted: p of 2 closed, p as candidate admits");
    assert_eq!(tried(&setup), "Denied: p of 2 closed, p as candidate denies");
}

#[test]
fn nothing_is_tried_out_on_a_client_with_a_quota_of_its_own() {
    let quotas = Some("1/hour".parse().unwrap());
    let rollout = Rollout::Enforce { share: crate::Share::ALL, candidate: quotas };
    let policy = several("p", &["3/hour"]).with_plan("pro", "9/hour".parse().unwrap());
    let setup = Setup::of([policy.and_then(|it| it.with_rollout(rollout)).unwrap()]);
    for (client, expected) in [
        (Client::user("a"), "Admitted: p of 1, p as candidate admits"),
        (Client::user("b").with_plan("pro"), "Admitted: p of 1"),
    ] {
        setup.check(&["p"], &client);
        assert_eq!(setup.last_seen(), expected, "{client:?}");
    }
}

#[test]
fn a_reset_makes_all_quotas_whole_and_operators_see_each() {
    let setup = Setup::of([several("p", &["6/hour", "4/minute"])]);
    assert_eq!(setup.admitted(&someone()), 4);
    let standings = || {
        let standings = decided(pin!(setup.limiter.standings_of("user:1042", None))).unwrap();
        let of = |it: &crate::limiter::KeyStanding| {
            (it.policy.quota().to_string(), it.standing.as_ref().unwrap().remaining)
        };
        standings.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(standings(), [("6/hour".to_owned(), 2), ("4/minute".to_owned(), 0)]);
    decided(pin!(setup.limiter.reset_tag("user:1042", Some("p")))).unwrap();
    assert_eq!(standings(), [("6/hour".to_owned(), 6), ("4/minute".to_owned(), 4)]);
}

#[test]
fn without_a_store_a_process_counts_its_share_of_each_quota() {
    let limiter = without_store([several("p", &["8/day", "6/12 hours"])])
        .instances(NonZeroU64::new(2).unwrap())
        .build()
        .unwrap();
    let policies = limiter.policies(["p"]).unwrap();
    let check = || limiter.check(&policies, Cost::ONE, &someone()).wait().unwrap();
    (0..3).for_each(|_| drop(check()));
    let last = check();
    let standings: Vec<_> = last.policies().map(|(_, it)| (it.remaining, it.retry)).collect();
    assert_eq!(standings[0], (1, Retry::Now));
    assert_eq!(standings[1].0, 0);
    assert!(!last.is_allowed());
}
