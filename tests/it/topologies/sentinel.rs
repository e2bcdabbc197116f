//! Sentinels: the store follows their failover.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{admitted, store, with_limit};
use crate::support::sentinels::{Watched, says};
use crate::support::stores::{HOUR, charge, policy};
use crate::support::threads::until;
use crate::support::traffic::{answer, under_traffic};
use tollgate::store::{Acquire, Store as _};
use tollgate::{RedisOptions, RedisStore};

const QUOTA: u64 = 200;

/// What the primary forgets that died, its follower may admit once more, and not twice.
#[test]
fn a_failover_is_followed_and_admits_at_most_one_quota_more() {
    let mut watched = Watched::start();
    // The first one in the URL says nothing: the others are asked.
    watched.sentinels()[0].pause();
    let store = store(&watched.url());
    watched.sentinels()[0].resume();
    let charges = vec![charge("a", &policy("p", "fixed-window", QUOTA, HOUR))];
    let [admitted, failed, after] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let (asked, counts) = (store.clone(), admitted.clone());
    let (failures, decided) = (failed.clone(), after.clone());
    under_traffic(
        move |_, _| {
            let acquire = Acquire::new(charges.clone(), 1);
            match asked.acquire(&acquire).wait() {
                Ok(answer) => {
                    counts.fetch_add(answer.admitted as usize, Ordering::SeqCst);
                    decided.fetch_add(1, Ordering::SeqCst);
                }
                Err(_) => drop(failures.fetch_add(1, Ordering::SeqCst)),
            }
        },
        |answered| {
            answer(100, answered);
            watched.servers[0].kill();
            until("the store goes down", || !store.is_up());
            until("the store follows", || store.is_up());
            after.store(0, Ordering::SeqCst);
            until("the new primary decides", || after.load(Ordering::SeqCst) > 2 * 200);
            // The old one comes back empty, takes itself for the primary for a while, and is not asked.
            watched.servers[0].restart();
            watched.servers[1].tell(&["CLIENT", "KILL", "TYPE", "normal"]);
            after.store(0, Ordering::SeqCst);
            until("the new primary decides", || after.load(Ordering::SeqCst) > 100);
        },
    );
    // What the old one was asked last may be charged, and not answered.
    let [admitted, failed] = [admitted, failed].map(|it| it.load(Ordering::SeqCst) as u64);
    assert!(!says(&watched.servers[0], "INFO", "commandstats", "cmdstat_eval"));
    assert!((QUOTA.saturating_sub(failed)..=2 * QUOTA).contains(&admitted), "{admitted}");
}

#[test]
fn sentinels_have_a_user_and_a_password_of_their_own() {
    let mut watched = Watched::start();
    for sentinel in watched.sentinels() {
        let rights = "+sentinel|get-master-addr-by-name";
        sentinel.tell(&["ACL", "SETUSER", "gate", "on", ">hush", rights]);
        sentinel.tell(&["ACL", "SETUSER", "default", "off"]);
    }
    let url = watched.url();
    let right = store(&format!("{url}?sentinel_user=gate&sentinel_pass=hush"));
    assert_eq!(admitted(&right), 5);
    for (credentials, cause) in [
        ("", "no password"),
        ("?sentinel_user=gate&sentinel_pass=other", "wrong password"),
        // Without a name, it is the default user's.
        ("?sentinel_pass=hush", "wrong password"),
    ] {
        let options = RedisOptions::new(format!("{url}{credentials}"));
        let wrong = RedisStore::start(&with_limit(options, 10_000)).expect("a store");
        assert_eq!((wrong.is_up(), wrong.status().cause), (false, Some(cause)), "{credentials}");
    }
    // Those of the primary are no sentinel's.
    watched.servers[0].tell(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all"]);
    watched.servers[0].tell(&["ACL", "SETUSER", "default", "off"]);
    let url = url.replace("//", "//app:secret@");
    let both = store(&format!("{url}?sentinel_user=gate&sentinel_pass=hush"));
    assert!(both.is_up());
}
