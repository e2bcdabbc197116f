//! However Redis is reached, decisions are the same and come within the time limits.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tollgate::{ManualClock, RedisOptions, RedisStore};

use crate::support::redis::Server;
use crate::support::stores::{HOUR, NOW, ask, charge, patient, policy};
use crate::support::threads::together;
use crate::support::traffic;

mod cluster;
mod ledger;
mod penalties;
mod refunds;
mod remembered_denials;
mod sentinel;
mod tls;
mod trials;

/// The store at `url`, by a clock that stands still, once it is up.
fn store(url: &str) -> Arc<RedisStore> {
    store_within(url, 500)
}

/// The same where no node fails, so that none is given up, however busy the machine is.
fn patient_store(url: &str) -> Arc<RedisStore> {
    store_within(url, 10_000)
}

fn store_within(url: &str, millis: u64) -> Arc<RedisStore> {
    let clock = Arc::new(ManualClock::new(NOW));
    traffic::store(&with_limit(RedisOptions::new(url).clock(clock), millis))
}

fn with_limit(options: RedisOptions, millis: u64) -> RedisOptions {
    options.timeout(Duration::from_millis(millis))
}

/// How many of seven requests of user `a` it admits, under a policy of five.
fn admitted(store: &RedisStore) -> usize {
    let charges = [charge("a", &policy("p", "fixed-window", 5, HOUR))];
    (0..7).filter(|_| ask(store, &charges, 1, 1).admitted == 1).count()
}

#[test]
fn a_user_with_a_password_counts_and_one_with_another_is_told_so() {
    let server = Server::start_tcp();
    server.tell(&["ACL", "SETUSER", "gate", "on", ">right", "~*", "+@all"]);
    server.tell(&["ACL", "SETUSER", "default", "off"]);
    let url = |password: &str| server.tcp_url().replace("//", &format!("//gate:{password}@"));
    let wrong = RedisStore::start(&patient(&url("wrong"))).expect("a store");
    assert!(!wrong.is_up());
    let right = RedisStore::start(&patient(&url("right"))).expect("a store");
    assert!(right.is_up());
    assert_eq!(admitted(&right), 5);
}

#[test]
fn a_database_number_is_where_keys_are() {
    let server = Server::start_tcp();
    let store = store(&server.tcp_url().replace("/0", "/3"));
    assert_eq!(admitted(&store), 5);
    let mut connection = server.connection();
    let mut keys = |db: u8| -> usize {
        let mut both = redis::pipe();
        both.cmd("SELECT").arg(db).ignore().cmd("DBSIZE");
        both.query::<(usize,)>(&mut connection).expect("a count").0
    };
    assert_eq!(keys(0), 0);
    // And perhaps the four of the probe.
    assert!((1..=5).contains(&keys(3)));
}

#[test]
fn either_version_of_the_protocol_counts() {
    let server = Server::start_tcp();
    server.tell(&["ACL", "SETUSER", "gate", "on", ">right", "~*", "+@all"]);
    let of = |password: &str, db: u8, protocol: u8| {
        let url = server.tcp_url().replace("//", &format!("//gate:{password}@"));
        format!("{}?protocol={protocol}", url.replace("/0", &format!("/{db}")))
    };
    assert_eq!(admitted(&store(&of("right", 2, 2))), 5);
    assert_eq!(admitted(&store(&of("right", 3, 3))), 5);
    for protocol in [2, 3] {
        let wrong = RedisStore::start(&patient(&of("wrong", 2, protocol))).expect("a store");
        assert_eq!((wrong.is_up(), wrong.status().cause), (false, Some("wrong password")));
    }
}

#[test]
fn a_server_that_says_nothing_hangs_nobody() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = mute.local_addr().expect("its address");
    let urls = [
        "redis://PLACE",
        "rediss://PLACE",
        "redis+sentinel://PLACE,PLACE/n",
        "redis+cluster://PLACE",
    ];
    for url in urls {
        let url = url.replace("PLACE", &place.to_string());
        let up = together(1, move |_| {
            let store = RedisStore::start(&with_limit(RedisOptions::new(&url), 50));
            store.expect("a store that is down").is_up()
        });
        assert_eq!(up, [false]);
    }
}
