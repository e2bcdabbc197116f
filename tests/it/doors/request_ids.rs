//! The ID that a proxy gives a request, as an observer learns of it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tollgate::{ClientIp, DecisionEvent, Observer};

use super::{Counts, Door, Limit, behind_a_proxy, policy, through_each_door};
use crate::support::raw::{connect_from, get};

through_each_door! {
    an_id_is_taken_from_a_trusted_proxy_alone,
    nobody_reads_ids_that_no_observer_wants_or_no_field_has,
}

/// Notes the ID of each request.
#[derive(Debug)]
struct Ids {
    wants_them: bool,
    seen: Mutex<Vec<Option<String>>>,
}

impl Observer for Ids {
    fn on_decision(&self, event: &DecisionEvent<'_>) {
        let id = event.request_id.map(str::to_owned);
        self.seen.lock().expect("nobody panics").push(id);
    }

    fn wants_request_ids(&self) -> bool {
        self.wants_them
    }
}

/// The IDs that an observer learns of, of requests from 127.0.0.1 with these lines of `X-Request-Id`.
fn ids(
    door: Door,
    (wants_them, header): (bool, Option<&'static str>),
    client_ip: ClientIp,
    requests: &[&[&str]],
) -> Vec<Option<String>> {
    let ids = Arc::new(Ids { wants_them, seen: Mutex::default() });
    let limiter = Counts::in_memory().limiter([policy("default", "9/minute")]);
    let limit = Limit::by(limiter.observer(ids.clone()), ["default"]);
    let served = Limit { client_ip, request_id_header: header, ..limit }.serve(door);
    for values in requests {
        let lines: Vec<_> = values.iter().map(|value| ("x-request-id", *value)).collect();
        get(connect_from(Ipv4Addr::LOCALHOST, served.port), "/", &lines);
    }
    let seen = ids.seen.lock().expect("nobody panics");
    seen.clone()
}

fn an_id_is_taken_from_a_trusted_proxy_alone(door: Door) {
    let requests: [&[&str]; 4] = [&["7-a"], &["two words"], &["forged", "8-b"], &[]];
    let set = (true, Some("x-request-id"));
    let taken = ids(door, set, behind_a_proxy(), &requests);
    assert_eq!(taken, [Some("7-a".to_owned()), None, Some("8-b".to_owned()), None]);
    let elsewhere =
        ClientIp::behind(["10.0.0.0/8".parse().expect("a network")], Default::default());
    for client_ip in [elsewhere, ClientIp::peer()] {
        assert_eq!(ids(door, set, client_ip, &requests), [None, None, None, None]);
    }
}

fn nobody_reads_ids_that_no_observer_wants_or_no_field_has(door: Door) {
    for set in [(false, Some("x-request-id")), (true, None), (true, Some("x-trace"))] {
        assert_eq!(ids(door, set, behind_a_proxy(), &[&["7-a"]]), [None]);
    }
}
