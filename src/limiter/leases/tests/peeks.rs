//! When the store is asked what remains, before units are leased.

use super::*;
use crate::store::Answer;

/// A store that counts how often it is only asked what remains.
#[derive(Debug)]
struct Peeked {
    store: MemoryStore,
    peeks: AtomicU64,
}

impl Store for Peeked {
    fn acquire(&self, asked: &Acquire) -> Answer<Acquired> {
        self.peeks.fetch_add(u64::from(asked.count == 0), Ordering::SeqCst);
        self.store.acquire(asked)
    }

    fn reset(&self, keys: Vec<Key>) -> Answer<()> {
        self.store.reset(keys)
    }
}

#[test]
fn what_remains_is_asked_where_it_is_not_known_to_be_plenty() {
    let fleet = Fleet::new("fixed-window");
    let store = MemoryStore::with_clock(100, fleet.clock.clone());
    let store = Arc::new(Peeked { store, peeks: AtomicU64::new(0) });
    let asked = fleet.asked(Cost::ONE);
    let (instances, names) = (NonZeroU64::MIN, ["p"].into_iter());
    let (leases, jobs) =
        Leases::new(store.clone(), None, instances, fleet.clock.clone(), names, None);
    let requests = |number: u64| {
        for _ in 0..number {
            if !leases.take(&asked).is_all_of(&asked) {
                assert!(store.store.acquire_now(&asked).is_allowed(1));
            }
        }
        leases.work(jobs.try_iter());
        store.peeks.load(Ordering::SeqCst)
    };
    assert_eq!(requests(40), 1, "nothing is known yet");
    assert_eq!(requests(25), 1, "935 remain, and 50 were used in a lease time");
    let _ = store.store.acquire_now(&Acquire { count: 700, ..asked.clone() });
    fleet.clock.advance(LEASE);
    assert_eq!(requests(40), 2, "what is known is old");
    assert_eq!(requests(40), 3, "little remains");
}
