//! If the script is removed from Redis, it is loaded again, and nothing that was counted is lost.

use std::sync::Arc;

use crate::support::stores::{HOUR, Stand, ask, charge, each_policy};
use crate::support::threads::together;

#[test]
fn a_flush_of_scripts_under_traffic_loses_nothing() {
    let stand = Stand::redis();
    let server = stand.server.as_ref().expect("it has one");
    for policy in each_policy(1_000, HOUR) {
        let charges = [charge("a", &policy)];
        let store = Arc::clone(&stand.store);
        let url = server.url();
        let admitted = together(5, move |thread| {
            let mut redis = redis::Client::open(url.as_str())
                .and_then(|client| client.get_connection())
                .expect("the private Redis answers");
            // The first of them flushes all the while, and sends less.
            let mut one = |_: &usize| {
                if thread == 0 {
                    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut redis).expect("SCRIPT FLUSH");
                }
                ask(&*store, &charges, 1, 1).admitted == 1
            };
            (0..300).filter(|i| one(i)).count()
        });
        assert_eq!(admitted.iter().sum::<usize>(), 1_000, "{}", policy.name());
    }
}
