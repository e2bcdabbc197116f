//! CORS preflights pass uncounted where the limiter is built so, and are requests like any other where it is not.

use tollgate::AccessEntry;

use super::{Counts, Door, Limit, Served, behind_a_proxy, has_fields, on_each_store, policy};
use super::{LimiterBuilder, through_each_door};

through_each_door! {
    preflights_pass_uncounted_and_other_options_do_not,
    preflights_are_counted_unless_they_are_to_pass,
    a_blocked_client_sends_no_preflight,
}

const ORIGIN: (&str, &str) = ("origin", "https://shop.example");
const METHOD: (&str, &str) = ("access-control-request-method", "GET");

/// Preflights pass, or not, under `2/minute`.
fn limiter(counts: &Counts, pass: bool) -> LimiterBuilder {
    counts.limiter([policy("default", "2/minute")]).pass_preflights(pass)
}

fn options(served: &Served, fields: &[(&str, &str)]) -> u16 {
    served.ask("OPTIONS", "/", fields).status
}

fn preflights_pass_uncounted_and_other_options_do_not(door: Door) {
    on_each_store(|counts| {
        let by_route = limiter(counts, true).route("/*", ["default"], []);
        for limit in [Limit::by(limiter(counts, true), ["default"]), Limit::new(by_route)] {
            let served = limit.serve(door);
            for _ in 0..5 {
                let seen = served.ask("OPTIONS", "/", &[ORIGIN, METHOD]);
                assert_eq!((seen.status, has_fields(&seen)), (200, false));
            }
            // Neither field alone makes a preflight, and no other method does.
            assert_eq!(options(&served, &[ORIGIN]), 200);
            assert_eq!(served.ask("GET", "/", &[ORIGIN, METHOD]).status, 200);
            assert_eq!([options(&served, &[METHOD]), options(&served, &[])], [429, 429]);
            assert_eq!(options(&served, &[ORIGIN, METHOD]), 200);
        }
    });
}

fn preflights_are_counted_unless_they_are_to_pass(door: Door) {
    let counts = Counts::in_memory();
    let by_default = counts.limiter([policy("default", "2/minute")]);
    for limiter in [by_default, limiter(&counts, false)] {
        let served = Limit::by(limiter, ["default"]).serve(door);
        let statuses = [0; 3].map(|_| options(&served, &[ORIGIN, METHOD]));
        assert_eq!(statuses, [200, 200, 429]);
    }
}

fn a_blocked_client_sends_no_preflight(door: Door) {
    let blocked: AccessEntry = "10.6.6.6".parse().expect("an entry");
    let limiter = limiter(&Counts::in_memory(), true).block([blocked]);
    let limit = Limit { client_ip: behind_a_proxy(), ..Limit::by(limiter, ["default"]) };
    let served = limit.serve(door);
    let from = |address| options(&served, &[ORIGIN, METHOD, ("x-real-ip", address)]);
    assert_eq!([from("10.6.6.6"), from("192.0.2.1")], [403, 200]);
}
