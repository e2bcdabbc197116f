//! What operators change for single clients holds in every process that shares a Redis.

use std::sync::Arc;
use std::time::Duration;

use tollgate::overrides::{Note, OverrideError, Overrides};
use tollgate::store::OverrideStore;
use tollgate::{Client, Cost, Limiter, MonotonicClock, Policy, RedisOptions, RedisStore};

use crate::permissions::documented;
use crate::support::cluster::Cluster;
use crate::support::redis::Server;
use crate::support::stores::patient;
use crate::support::threads::{together, until};

const HOUR: Duration = Duration::from_secs(3_600);

/// How often a process of these tests reads the overrides.
const EVERY: Duration = Duration::from_millis(20);

fn note() -> Note<'static> {
    Note::new("ann", "a test")
}

/// A process that counts in a Redis: one request a day.
fn process(options: &RedisOptions) -> Limiter {
    let store = Arc::new(RedisStore::start(options).expect("a store"));
    until("the store is up", || store.is_up());
    let clock = Arc::new(MonotonicClock::start());
    let shared: Arc<dyn OverrideStore> = store.clone();
    let overrides = Overrides::start(shared, EVERY, clock.clone()).expect("a thread");
    let policy = Policy::new("default", "1/day".parse().expect("a quota")).expect("a name");
    Limiter::builder(store)
        .policy(policy)
        .overrides(overrides)
        .deny_cache(Duration::from_secs(60), clock)
        .build()
        .expect("a limiter")
}

fn is_banned(limiter: &Limiter, user: &str) -> bool {
    limiter.banned(None, &Client::user(user)).is_some()
}

fn is_admitted(limiter: &Limiter, user: &str) -> bool {
    let policies = limiter.policies(["default"]).expect("the policy");
    let decision = limiter.check(&policies, Cost::ONE, &Client::user(user)).wait();
    decision.expect("a decision").is_allowed()
}

fn hold_in_every_process(options: &RedisOptions) {
    let (one, other) = (process(options), process(options));
    one.ban("user:bob", None, HOUR, note()).expect("a ban");
    assert!(is_banned(&one, "bob"), "it holds at once where it was made");
    until("it holds in the other process", || is_banned(&other, "bob"));
    other.unban("user:bob", None, note()).expect("no ban");
    until("it has ended in the first process", || !is_banned(&one, "bob"));

    assert_eq!([(); 2].map(|()| is_admitted(&other, "cid")), [true, false]);
    let quota = "2/day".parse().expect("a quota");
    one.boost("user:cid", None, quota, HOUR, note()).expect("a boost");
    until("the denial is forgotten", || is_admitted(&other, "cid"));
    assert!(!is_admitted(&other, "cid"));
    one.disable("default", Some(HOUR), note()).expect("a policy that is off");
    until("the policy is off", || is_admitted(&other, "cid"));
    let audit = other.audit(10).expect("the changes");
    let actions: Vec<_> = audit.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["disable", "boost", "unban", "ban"]);
}

#[test]
fn changes_of_one_process_hold_in_the_other_with_the_documented_permissions() {
    let server = Server::start();
    let mut connection = server.connection();
    let setuser =
        redis::cmd("ACL").arg("SETUSER").arg("tollgate").arg(documented()).exec(&mut connection);
    setuser.expect("rules that Redis knows");
    hold_in_every_process(&patient(&format!("{}?user=tollgate&pass=secret", server.url())));
    for key in ["tollgate:{operators}:overrides", "tollgate:{operators}:changes"] {
        let ttl: i64 = redis::cmd("PTTL").arg(key).query(&mut connection).expect("a TTL");
        assert!(ttl > 0, "{key}: {ttl}");
    }
}

#[test]
fn changes_hold_in_a_cluster() {
    let cluster = Cluster::start();
    hold_in_every_process(&patient(&cluster.url()));
}

#[test]
fn changes_that_are_made_at_once_are_all_kept() {
    let server = Server::start();
    let processes: Vec<Limiter> = (0..4).map(|_| process(&patient(&server.url()))).collect();
    let limiters = processes.clone();
    together(8, move |number| {
        for turn in 0..3 {
            let key = format!("user:{number}.{turn}");
            // Others may win again and again.
            while let Err(error) = limiters[number % 4].ban(&key, None, HOUR, note()) {
                assert!(matches!(error, OverrideError::Contended), "{error}");
            }
        }
    });
    let listed = processes[0].list_overrides().expect("overrides");
    assert_eq!(listed.overrides.len(), 24);
    assert_eq!(processes[1].audit(100).expect("the changes").len(), 24);
}

#[test]
fn what_was_known_holds_while_redis_is_away_and_ends_by_itself() {
    let mut server = Server::start();
    let options = patient(&server.url()).timeout(Duration::from_millis(500));
    let (one, other) = (process(&options), process(&options));
    one.ban("user:bob", None, HOUR, note()).expect("a ban");
    one.ban("user:cid", None, Duration::from_secs(2), note()).expect("a ban");
    until("both hold in the other process", || {
        is_banned(&other, "bob") && is_banned(&other, "cid")
    });
    server.kill();
    let failed = other.ban("user:dan", None, HOUR, note()).expect_err("no ban without Redis");
    assert!(matches!(failed, OverrideError::Store(_)), "{failed}");
    let listed = other.list_overrides().expect("overrides");
    assert!(listed.outdated.is_some());
    until("the short ban has ended", || !is_banned(&other, "cid"));
    assert!(is_banned(&other, "bob"));
}
