//! A store that may give charges back: what it may still give back is not remembered.

use super::*;
use crate::domain::policy::KeySource;
use crate::limiter::LimiterBuilder;

/// A store that decides the keys of a request one after another, as far as it says.
#[derive(Debug)]
struct OneByOne(Counting);

impl Store for OneByOne {
    fn acquire(&self, acquire: &Acquire) -> Answer<Acquired> {
        self.0.acquire(acquire)
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.0.reset(keys)
    }

    fn may_give_back(&self) -> bool {
        true
    }
}

/// How often a store of either kind is asked for ten checks under the policies called `names`, of
/// which the last nine are denied.
fn asked(
    gives_back: bool,
    names: &[&str],
    routes: impl FnOnce(LimiterBuilder) -> LimiterBuilder,
) -> u64 {
    let clock = Arc::new(ManualClock::new(1_000 * MINUTE));
    let counting = || Counting(MemoryStore::with_clock(100, clock.clone()), AtomicU64::new(0));
    let one_by_one = Arc::new(OneByOne(counting()));
    let at_once = Arc::new(counting());
    let store: Arc<dyn Store> = if gives_back { one_by_one.clone() } else { at_once.clone() };
    let builder = Limiter::builder(store)
        .policy(policy("one", "1/minute"))
        .policy(policy("another", "1/minute"))
        .policy(policy("wide", "100/minute").with_key(KeySource::Global))
        .deny_cache(Duration::from_secs(1), clock.clone());
    let limiter = routes(builder).build().unwrap();
    let policies = limiter.policies(names).unwrap();
    let check = || limiter.check(&policies, Cost::ONE, &Client::user("a")).wait().unwrap();
    let allowed = (0..10).filter(|_| check().is_allowed()).count();
    assert_eq!(allowed, 1);
    let counting = if gives_back { &one_by_one.0 } else { &*at_once };
    counting.1.load(Ordering::SeqCst)
}

#[test]
fn a_denial_by_any_policy_but_the_last_of_a_set_is_not_remembered() {
    type Routes = fn(LimiterBuilder) -> LimiterBuilder;
    let none: Routes = |builder| builder;
    // (the policies of the checks, routes besides, how often such a store is asked for ten)
    let cases: [(&[&str], Routes, u64); 8] = [
        // Alone, or last: what it was charged is never given back.
        (&["one"], none, 1),
        (&["wide", "one"], none, 1),
        // Another policy decides after it.
        (&["one", "wide"], none, 10),
        (&["one"], |it| it.route("/", ["one", "wide"], []), 10),
        (&["one"], |it| it.route("/", ["wide", "one"], []).route("/a", ["one", "another"], []), 10),
        // One denies of which that is so, and one of which it is not.
        (&["one", "another"], none, 10),
        // Who only peeks charges nothing, and so gives nothing back.
        (&["one"], |it| it.route("/", ["another"], ["one", "wide"]), 1),
        (&["one"], |it| it.route("/", ["another", "wide"], []), 1),
    ];
    for (number, (names, routes, expected)) in cases.into_iter().enumerate() {
        assert_eq!(asked(true, names, routes), expected, "case {number}");
        assert_eq!(asked(false, names, routes), 1, "case {number}, where all is decided at once");
    }
}
