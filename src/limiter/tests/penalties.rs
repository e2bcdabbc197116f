//! Clients that a policy denies again and again are banned.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::admission::{Request, becomes, decided, to};
use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::penalty::Penalty;
use crate::limiter::{DecisionEvent, Note, Observer, Overrides, Verdict};

const MINUTE: u64 = 60_000;

/// A store in memory that may be away.
#[derive(Debug)]
struct MayBeAway {
    store: MemoryStore,
    is_away: AtomicBool,
}

impl Store for MayBeAway {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        if self.is_away.load(Ordering::Relaxed) {
            return Answer::ready(Err(StoreError::new(StoreErrorKind::Unreachable)));
        }
        self.store.acquire(acquire)
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.store.reset(keys)
    }
}

/// Remembers who decided each request, what, and the ban.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<String>>);

impl Observer for Recorder {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        let ban = event.ban.map(|ban| {
            let policy = event.charges[ban.charge].policy.name();
            format!(", {policy} bans for {} ms{}", ban.lasts, if ban.begins { " more" } else { "" })
        });
        let ban = ban.unwrap_or_default();
        let line = format!("{:?} by {:?}{ban}", event.outcome, event.decided_by);
        self.0.lock().unwrap().push(line);
    }
}

struct Setup {
    limiter: Limiter,
    store: Arc<MayBeAway>,
    clock: Arc<ManualClock>,
    seen: Arc<Recorder>,
}

impl Setup {
    /// The policy `login` admits one request a day, and bans after three denials within a minute: for a minute at first,
    /// and for four at most.
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let memory = || MemoryStore::with_clock(1_000, clock.clone());
        let store = Arc::new(MayBeAway { store: memory(), is_away: AtomicBool::new(false) });
        let penalty = Penalty::new(3, MINUTE, MINUTE, 4 * MINUTE).unwrap();
        let login = policy("login", "1/day", OnStoreFailure::Local).with_penalty(penalty);
        let seen = Arc::new(Recorder::default());
        let long = Duration::from_secs(3_600);
        let overrides = Overrides::start(Arc::new(memory()), long, clock.clone()).unwrap();
        let limiter = Limiter::builder(store.clone())
            .local(Arc::new(memory()))
            .policy(login)
            .policy(policy("other", "9/day", OnStoreFailure::Local))
            .route("/login", ["login"], [])
            .route("/both", ["other", "login"], [])
            .route("/other", ["other"], ["login"])
            .deny_cache(Duration::from_secs(10), clock.clone())
            .observer(seen.clone())
            .overrides(overrides)
            .build()
            .unwrap();
        Self { limiter, store, clock, seen }
    }

    fn becomes(&self, request: &Request) -> &'static str {
        becomes(&self.limiter, request)
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.0.lock().unwrap())
    }

    /// Sends requests until the client is banned.
    fn ban_bob(&self) {
        let becomes = [(); 4].map(|()| self.becomes(&to("/login", "bob")));
        assert_eq!(becomes, ["passes", "is denied", "is denied", "is banned"]);
        self.seen();
    }

    fn banned_for(&self) -> Option<Duration> {
        let policies = self.limiter.policies(["login"]).unwrap();
        let peeked = self.limiter.peek(&policies, Cost::ONE, &Client::user("bob")).wait().unwrap();
        assert_eq!(
            peeked.banned().and_then(|banned| banned.policy()),
            peeked.banned().map(|_| "login")
        );
        peeked.banned().map(|banned| banned.ends_after())
    }
}

#[test]
fn every_denial_reaches_the_store_until_the_client_is_banned_which_is_remembered() {
    let setup = Setup::new();
    for _ in 0..6 {
        setup.becomes(&to("/login", "bob"));
    }
    assert_eq!(
        setup.seen(),
        [
            "Admitted by Store",
            "Denied by Store",
            "Denied by Store",
            "Banned by Store, login bans for 60000 ms more",
            "Banned by DenyCache, login bans for 60000 ms",
            "Banned by DenyCache, login bans for 60000 ms",
        ]
    );
    setup.clock.advance(9_999);
    setup.becomes(&to("/login", "bob"));
    setup.clock.advance(1);
    setup.becomes(&to("/login", "bob"));
    assert_eq!(
        setup.seen(),
        [
            "Banned by DenyCache, login bans for 50001 ms",
            "Banned by Store, login bans for 50000 ms",
        ]
    );
    setup.clock.advance(49_999);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is banned");
    setup.clock.advance(1);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is denied", "the ban is over");
}

#[test]
fn a_ban_ends_in_the_deny_cache_when_it_ends_in_the_store() {
    let setup = Setup::new();
    setup.ban_bob();
    setup.clock.advance(MINUTE - 1);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is banned");
    setup.clock.advance(1);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is denied");
}

#[test]
fn a_denial_by_another_policy_is_remembered_as_ever() {
    let setup = Setup::new();
    for _ in 0..9 {
        setup.becomes(&to("/other", "bob"));
    }
    setup.seen();
    for _ in 0..3 {
        assert_eq!(setup.becomes(&to("/both", "bob")), "is denied");
    }
    assert_eq!(setup.seen(), ["Denied by Store", "Denied by DenyCache", "Denied by DenyCache"]);
}

#[test]
fn a_banned_client_is_refused_wherever_that_policy_is_met_and_nowhere_else() {
    let setup = Setup::new();
    setup.ban_bob();
    for (path, becomes) in [("/login", "is banned"), ("/both", "is banned"), ("/other", "passes")] {
        assert_eq!(setup.becomes(&to(path, "bob")), becomes, "{path}");
    }
    assert_eq!(setup.becomes(&to("/both", "cid")), "passes");
}

#[test]
fn a_check_and_a_peek_say_for_how_long_a_client_is_banned() {
    let setup = Setup::new();
    assert_eq!(setup.banned_for(), None);
    setup.ban_bob();
    setup.clock.advance(1_000);
    assert_eq!(setup.banned_for(), Some(Duration::from_secs(59)));
    let policies = setup.limiter.policies(["login"]).unwrap();
    let check = || setup.limiter.check(&policies, Cost::ONE, &Client::user("bob")).wait().unwrap();
    assert!(!check().is_allowed());
    assert_eq!(check().banned().map(|it| it.key().to_owned()), Some("user:bob".to_owned()));
    let day = Duration::from_millis(86_400_000 - 1_700_000_001_000 % 86_400_000);
    assert_eq!(check().retry_after(), Some(day), "the policy denies for longer than the ban");
}

#[test]
fn an_explanation_tells_of_the_ban_and_who_passes_unchecked_has_none() {
    let setup = Setup::new();
    setup.ban_bob();
    let explained = |path| decided(std::pin::pin!(setup.limiter.explain(&to(path, "bob"))));
    let login = explained("/login");
    assert_eq!(login.verdict, Verdict::Banned);
    assert_eq!(
        login.banned.and_then(|it| it.policy().map(str::to_owned)).as_deref(),
        Some("login")
    );
    assert_eq!(explained("/other").verdict, Verdict::Admitted, "a peek bans nobody");
}

#[test]
fn a_reset_ends_the_ban_and_makes_the_quota_whole() {
    let setup = Setup::new();
    setup.ban_bob();
    let policies = setup.limiter.policies(["login"]).unwrap();
    let bob = Client::user("bob");
    decided(std::pin::pin!(setup.limiter.reset(&policies, &bob))).unwrap();
    assert_eq!(setup.banned_for(), None);
    setup.ban_bob();
    assert_eq!(setup.banned_for(), Some(Duration::from_secs(60)), "the bans before are forgotten");
}

#[test]
fn an_operator_ends_a_ban_without_a_new_quota() {
    let setup = Setup::new();
    setup.ban_bob();
    let unban = || setup.limiter.unban("user:bob", None, Note::new("ann", "a mistake")).unwrap();
    assert_eq!(unban().penalties, ["login".to_owned().into_boxed_str()]);
    assert!(unban().penalties.is_empty());
    assert_eq!(setup.becomes(&to("/login", "bob")), "is denied");
    let audit = setup.limiter.audit(10).unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].action.as_str(), audit[0].subject.as_str()), ("unban", "user:bob"));
    assert_eq!(audit[0].before, "banned for 60 s by the penalty of login");
}

#[test]
fn while_the_store_is_away_bans_hold_as_last_known_and_denials_are_counted_here() {
    let setup = Setup::new();
    setup.ban_bob();
    setup.store.is_away.store(true, Ordering::Relaxed);
    setup.clock.advance(MINUTE - 1);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is banned");
    setup.clock.advance(1);
    assert_eq!(setup.becomes(&to("/login", "bob")), "is denied");
    let becomes = [(); 4].map(|()| setup.becomes(&to("/login", "cid")));
    assert_eq!(becomes, ["passes", "is denied", "is denied", "is banned"]);
}

#[test]
fn a_policy_that_is_not_in_force_bans_nobody() {
    let penalty = Penalty::new(1, MINUTE, MINUTE, MINUTE).unwrap();
    let login = policy("login", "1/day", OnStoreFailure::Local).with_penalty(penalty);
    let shadow = login.with_rollout(crate::domain::policy::Rollout::Shadow).unwrap();
    let limiter = Limiter::builder(Arc::new(MemoryStore::new(100)))
        .policy(shadow)
        .route("/login", ["login"], [])
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(becomes(&limiter, &to("/login", "bob")), "passes");
    }
}
