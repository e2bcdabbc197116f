//! Plans over a real store: each user has one key, whatever the quota, in both stores.

use std::sync::{Arc, Mutex};
use std::thread;

use tollgate::{Client, Cost, Decision, Limiter, Policy};

use crate::support::stores::{HOUR, Stand, dump, on_each_store, policy};

/// A limiter of 10 an hour, 30 for the plan `pro` and 20 for the user `vip`.
fn limiter(stand: &Stand, algorithm: &str) -> Limiter {
    let policy = Policy::clone(&policy("p", algorithm, 10, HOUR));
    let policy = policy.with_plan("pro", "30/hour".parse().expect("a quota"));
    let policy = policy.and_then(|it| it.with_user("vip", "20/hour".parse().expect("a quota")));
    let builder = Limiter::builder(stand.store.clone()).policy(policy.expect("they fit"));
    builder.build().expect("a limiter")
}

fn check(limiter: &Limiter, client: &Client<'_>) -> Decision {
    let policies = limiter.policies(["p"]).expect("it exists");
    limiter.check(&policies, Cost::ONE, client).wait().expect("the store answers")
}

fn admitted(limiter: &Limiter, client: &Client<'_>) -> usize {
    (0..40).filter(|_| check(limiter, client).is_allowed()).count()
}

const ALGORITHMS: [&str; 4] = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"];

#[test]
fn every_algorithm_counts_the_quota_of_the_plan_or_the_user() {
    for algorithm in ALGORITHMS {
        on_each_store(|stand| {
            let limiter = limiter(stand, algorithm);
            assert_eq!(admitted(&limiter, &Client::user("a")), 10);
            assert_eq!(admitted(&limiter, &Client::user("b").with_plan("pro")), 30);
            assert_eq!(admitted(&limiter, &Client::user("c").with_plan("gold")), 10);
            assert_eq!(admitted(&limiter, &Client::user("vip").with_plan("pro")), 20);
        });
    }
}

#[test]
fn a_user_who_changes_plans_takes_what_was_used_along_in_one_key() {
    for algorithm in ALGORITHMS {
        on_each_store(|stand| {
            let limiter = limiter(stand, algorithm);
            let (free, pro) = (Client::user("a"), Client::user("a").with_plan("pro"));
            assert_eq!(admitted(&limiter, &free), 10, "{algorithm}");
            assert_eq!(admitted(&limiter, &pro), 20, "{algorithm}");
            assert!(!check(&limiter, &free).is_allowed(), "{algorithm}");
            if let Some(server) = &stand.server {
                assert_eq!(dump(server).len(), 1, "no number is part of a key");
            }
        });
    }
}

#[test]
fn users_of_different_plans_who_ask_at_once_each_get_their_own_quota_exactly() {
    on_each_store(|stand| {
        let limiter = Arc::new(limiter(stand, "fixed-window"));
        let client = |number: usize| {
            let id = format!("user-{}", number % 6);
            let expected = if number.is_multiple_of(2) { 30 } else { 10 };
            (id, number.is_multiple_of(2).then_some("pro"), expected)
        };
        // Two threads for each of six users, so that batches mix plans and share keys.
        let counts: Vec<usize> = thread::scope(|scope| {
            let count = |number| {
                let limiter = limiter.clone();
                scope.spawn(move || {
                    let (id, plan, _) = client(number);
                    let user = Client::user(&id);
                    admitted(&limiter, &plan.map_or(user, |plan| user.with_plan(plan)))
                })
            };
            let threads: Vec<_> = (0..12).map(count).collect();
            threads.into_iter().map(|it| it.join().expect("it ends")).collect()
        });
        for number in 0..6 {
            assert_eq!(counts[number] + counts[number + 6], client(number).2, "user-{number}");
        }
    });
}

/// What this process logs of plans.
#[derive(Debug)]
struct Heard(Mutex<Vec<String>>);

static HEARD: Heard = Heard(Mutex::new(Vec::new()));

impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        self.0.lock().expect("nobody panics here").extend(line.contains("plan").then_some(line));
    }

    fn flush(&self) {}
}

#[test]
fn an_unknown_plan_is_warned_of_once_and_a_known_one_never() {
    log::set_logger(&HEARD).expect("no other test sets one");
    log::set_max_level(log::LevelFilter::Warn);
    let limiter = limiter(&Stand::memory(), "fixed-window");
    for plan in ["pro", "platinum", "copper\n"] {
        for user in ["a", "b"] {
            admitted(&limiter, &Client::user(user).with_plan(plan));
        }
    }
    let heard = HEARD.0.lock().expect("nobody panics here");
    let of = |plan: &str| heard.iter().filter(|line| line.contains(plan)).collect::<Vec<_>>();
    let expected = "WARN No policy has a plan \"platinum\": its users get the quotas of everyone.";
    assert_eq!(of("platinum"), [expected]);
    assert_eq!(of("copper").len(), 1);
    assert!(of("\"pro\"").is_empty() && heard.iter().all(|line| !line.contains('\n')));
}
