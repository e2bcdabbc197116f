//! Leases of the command, as its operators see them.

use crate::support::http::Client;
use crate::support::port;
use crate::support::process::Options;
use crate::support::redis::Server;
use crate::support::threads::until;

#[test]
fn the_command_leases_units_shows_it_and_gives_them_back_when_it_stops() {
    let server = Server::start();
    let listen = format!("127.0.0.1:{}", port::free());
    let mut tollgate = Options::default()
        .set("store.url", &server.url())
        .set("admin.listen", &listen)
        .set("policies.default.quota", "100000/52 weeks")
        .set("policies.default.key", "global")
        .set("policies.default.lease_ms", "1000")
        .serve();
    let operator = Client::of(format!("http://{listen}"));
    let metrics = || operator.get("/metrics", &[]).body;
    let value = |name: &str| {
        let metrics = metrics();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| value.trim().parse().expect("a number"))
    };
    let mut admitted = 0;
    until("requests are decided by leases", || {
        (0..40).for_each(|_| {
            assert_eq!(tollgate.get("/api/data", &[]).status, 200);
            admitted += 1;
        });
        value(r#"tollgate_decisions_total{by="lease"}"#) > 0.0
    });
    assert!(value(r#"tollgate_lease_units_total{policy="default",fate="leased"}"#) > 0.0);
    let policies = operator.get("/v1/policies", &[]).body;
    assert!(policies.contains(r#""lease_ms":1000"#), "{policies}");
    assert!(tollgate.stop().success());
    let used: i64 = {
        let mut connection = server.connection();
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("*:default:*").query(&mut connection).expect("keys");
        let value: i64 = redis::cmd("GET").arg(&keys[0]).query(&mut connection).expect("a count");
        // A fixed window is one number: see docs/src/layouts.md.
        value % (52 * 7 * 86_400_000 * 1_000)
    };
    assert_eq!(used, admitted, "what was not used is back");
}
