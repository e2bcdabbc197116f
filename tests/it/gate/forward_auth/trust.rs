//! Who may ask, and whom they are believed about.

use tempfile::TempDir;

use super::*;
use crate::support::raw::{connect_unix, get};

const LINES: [(&str, &str); 2] =
    [("x-forwarded-method", "POST"), ("x-forwarded-uri", "/api/posts")];
const PATH: &str = "/v1/auth?proxy=nginx";

/// What a peer at `source` is answered that asks about a client at `address`.
fn ask(stand: &Stand, source: Ipv4Addr, address: &str) -> Response {
    let lines = [&LINES[..], &[("x-forwarded-for", address)]].concat();
    get(connect_from(source, stand.port), PATH, &lines)
}

#[test]
fn a_peer_that_is_no_trusted_proxy_may_not_ask() {
    let stand = Stand::new("");
    let stranger = Ipv4Addr::new(127, 0, 0, 9);
    let response = ask(&stand, stranger, "203.0.113.7");
    assert_eq!(response.status, 403, "{response:?}");
    assert_eq!(response.header("x-tollgate-status"), None);
    let detail = problem(&response)["detail"].to_string();
    assert!(detail.contains("client_ip.trusted_proxies"), "{detail}");
    // Not even about itself, as Envoy asks.
    let lines = [("x-forwarded-for", "127.0.0.9")];
    let response = get(connect_from(stranger, stand.port), "/v1/auth/api/data", &lines);
    assert_eq!(response.status, 403);
    // Whatever else is wrong.
    let response = get(connect_from(stranger, stand.port), "/v1/auth", &[]);
    assert_eq!((response.status, stand.errors("peer")), (403, 3));
    assert_eq!(stand.used("ip:203.0.113.7", "posts"), 0);
    assert_eq!(ask(&stand, Ipv4Addr::LOCALHOST, "203.0.113.7").status, 200);
}

#[test]
fn without_trusted_proxies_nobody_may_ask_and_the_log_says_what_to_set() {
    let mut stand = Stand::of("");
    assert_eq!(ask(&stand, Ipv4Addr::LOCALHOST, "203.0.113.7").status, 403);
    stand.tollgate.wait_for_line("until client_ip.trusted_proxies lists it");
}

#[test]
fn the_address_is_read_as_the_app_reads_it() {
    let stand = Stand::of("[client_ip]\ntrusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n");
    let local = Ipv4Addr::LOCALHOST;
    for (address, expected) in [
        ("203.0.113.7", 200),
        ("6.6.6.6, 203.0.113.7", 403),
        ("203.0.113.7:4711, 10.1.2.3", 403),
        ("nonsense, 203.0.113.7, 10.1.2.3, 10.1.2.4", 403),
        ("203.0.113.7, 203.0.113.8", 200),
        ("[2001:db8::1]:443", 200),
        ("2001:db8::2", 403),
        // A client on the proxy's own machine.
        ("127.0.0.1", 200),
    ] {
        assert_eq!(ask(&stand, local, address).status, expected, "{address}");
    }
}

#[test]
fn other_fields_and_hops_are_read_as_configured() {
    let more = "[client_ip]\ntrusted_proxies = [\"127.0.0.1\"]\nheader = \"x-real-ip\"\n";
    let stand = Stand::of(more);
    let local = || connect_from(Ipv4Addr::LOCALHOST, stand.port);
    let with = |address| [&LINES[..], &[("x-real-ip", address)]].concat();
    assert_eq!(get(local(), PATH, &with("203.0.113.7")).status, 200);
    assert_eq!(ask(&stand, Ipv4Addr::LOCALHOST, "203.0.113.8").status, 400);
    assert_eq!(stand.used("ip:203.0.113.7", "posts"), 1);

    let stand = Stand::of("[client_ip]\nhops = 2\n");
    let anywhere = Ipv4Addr::new(127, 0, 0, 9);
    assert_eq!(ask(&stand, anywhere, "6.6.6.6, 203.0.113.7, 10.0.0.1").status, 200);
    assert_eq!(stand.used("ip:203.0.113.7", "posts"), 1);
}

#[test]
fn whoever_may_connect_to_the_socket_of_the_gate_is_a_proxy() {
    for more in ["", "[client_ip]\ntrusted_proxies = [\"10.0.0.0/8\"]\n"] {
        let directory = TempDir::with_prefix("tollgate-gate-").expect("a directory");
        let path = directory.path().join("gate.sock");
        let options = Options::default().config(&format!("{LIMITS}{more}"));
        let options = options.set("store.url", "memory:");
        let options = options.set("gate.listen", &format!("unix:{}", path.display()));
        let mut tollgate = options.serve();
        let ask = |address: &str| {
            let lines = [&LINES[..], &[("x-forwarded-for", address)]].concat();
            get(connect_unix(&path), PATH, &lines).status
        };
        let addresses = ["203.0.113.7", "6.6.6.6, 203.0.113.7", "203.0.113.8", "unknown", ""];
        assert_eq!(addresses.map(ask), [200, 403, 200, 400, 400]);
        // The app's own clients are believed no more than before.
        let forged = [("x-forwarded-for", &b"203.0.113.9"[..])];
        let statuses = [(); 2].map(|()| tollgate.request("POST", "/api/posts", &forged).status);
        assert_eq!(statuses, [404, 429]);
        assert!(tollgate.stop().success());
    }
}

#[test]
fn a_gate_over_tcp_beside_an_app_on_a_socket_trusts_only_who_is_listed() {
    let directory = TempDir::with_prefix("tollgate-gate-").expect("a directory");
    for (more, expected) in [("", 403), (TRUSTED, 200)] {
        let gate = port::free_address();
        let options = Options::default().config(&format!("{LIMITS}{more}"));
        let options = options.set("store.url", "memory:").set("gate.listen", &gate.to_string());
        let _tollgate = options.serve_unix(&directory.path().join("app.sock"));
        let lines = [&LINES[..], &[("x-forwarded-for", "203.0.113.7")]].concat();
        let response = get(connect_from(Ipv4Addr::LOCALHOST, gate.port()), PATH, &lines);
        assert_eq!(response.status, expected, "{response:?}");
    }
}

#[test]
fn a_policy_that_is_used_up_at_the_app_is_used_up_here_and_the_reverse() {
    let stand = Stand::new("");
    let app = |address: &str| {
        let lines = [("x-forwarded-for", address.as_bytes())];
        stand.tollgate.request("POST", "/api/posts", &lines).status
    };
    let gate = |address| ask(&stand, Ipv4Addr::LOCALHOST, address).status;
    assert_eq!((app("203.0.113.7"), gate("203.0.113.7")), (404, 403));
    assert_eq!((gate("203.0.113.8"), app("203.0.113.8")), (200, 429));
}
