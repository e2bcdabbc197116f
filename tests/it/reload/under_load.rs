//! A hundred reloads under traffic: no request is lost, and none is counted twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::support::threads::start;

/// Clients of the app at the same time.
const CLIENTS: usize = 4;

const RELOADS: u64 = 100;

#[test]
fn a_hundred_reloads_under_load_lose_nothing_and_count_nothing_twice() {
    let redis = Server::start();
    for url in ["memory:".to_owned(), redis.url()] {
        let options = Options::default().set("store.url", &url).set("server.workers", "2");
        let served = Served::by_with(&quota(1), options);
        let (url, ends) = (served.tollgate.url().to_owned(), Arc::new(AtomicBool::new(false)));
        let admitted = Arc::new(AtomicU64::new(0));
        let clients = {
            let (ends, admitted) = (ends.clone(), admitted.clone());
            start(CLIENTS, move |_| {
                let client = Client::of(url.clone());
                while !ends.load(Ordering::SeqCst) {
                    // It panics if there is no answer.
                    match client.get("/api/data", &[]).status {
                        200 => _ = admitted.fetch_add(1, Ordering::SeqCst),
                        429 => {}
                        other => panic!("{other}"),
                    }
                }
            })
        };
        let mut largest = 1;
        for number in 1..=RELOADS {
            // It rises and falls, and no quota comes twice in a row.
            let units = 1 + number * 7 % 50 + number / 2;
            largest = largest.max(units);
            served.rename("main.toml", &quota(units));
            served.until_quota(units);
            until("as much is admitted as the largest quota so far", || {
                admitted.load(Ordering::SeqCst) >= largest
            });
            assert_eq!(admitted.load(Ordering::SeqCst), largest);
        }
        ends.store(true, Ordering::SeqCst);
        clients.join();
        assert_eq!(admitted.load(Ordering::SeqCst), largest);
        assert!(served.metric("tollgate_config_generation") >= (RELOADS + 1) as f64);
    }
}
