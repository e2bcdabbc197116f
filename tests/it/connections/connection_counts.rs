//! The number of connections is limited, in all and for each address.

use tempfile::TempDir;

use super::*;
use crate::support::proxy::{Fault, Proxy};
use crate::support::raw::connect_unix;
use crate::support::redis::Server;
use crate::support::threads::until;

/// A head that has only begun.
const PART: &str = "GET /api/data HTTP/1.1\r\nx-slow: ";

#[test]
fn the_door_is_never_full_for_a_new_client() {
    let stand = Stand::with(&[("max_connections", "20")]);
    let ready = "GET /ready HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for begin in ["", PART, "POST /api/data HTTP/1.1\r\nhost: t\r\ncontent-length: 9\r\n\r\n"] {
        let acted = stand.acted("max_connections");
        let slow: Vec<_> = (0..20)
            .map(|number| {
                let mut client = stand.dial_from(address(number / 2));
                client.say(begin);
                client
            })
            .collect();
        until("they are in", || stand.open() >= 20);
        // They stay, so that each takes the place of one that has been waited for longer.
        let new: Vec<_> = (100..150)
            .map(|number| {
                let mut client = stand.dial_from(address(number));
                assert_eq!(client.ask(GET).status, 200);
                assert_eq!(stand.dial_admin().ask(ready).status, 200);
                client
            })
            .collect();
        assert_eq!(stand.acted("max_connections"), acted + 50);
        for mut client in slow {
            if begin.starts_with("POST") {
                client.answer();
            }
            client.ends();
        }
        drop(new);
        until("they are gone", || stand.open() == 0);
    }
}

#[test]
fn however_many_there_may_be_the_next_is_let_in() {
    let stand = Stand::with(&[("max_connections", "600")]);
    let mut idle: Vec<_> = (0..600).map(|number| stand.dial_from(address(number / 100))).collect();
    idle.iter_mut().for_each(|client| assert_eq!(client.ask(GET).status, 200));
    for number in 0..200 {
        let mut client = stand.dial_from(address(100 + number / 100));
        assert_eq!(client.ask(GET).status, 200, "number {number}");
        idle.push(client);
    }
    assert_eq!(stand.acted("max_connections"), 200);
    until("others ended", || stand.open() == 600);
}

#[test]
fn one_that_is_being_answered_keeps_its_place() {
    let redis = Server::start();
    let proxy = Proxy::to(redis.socket());
    let options = Options::default()
        .set("store.url", &proxy.url())
        .set("policies.default.quota", "10/52 weeks");
    let stand = Stand::of(options, &[("max_connections", "2")]);
    proxy.set(Fault::Late);
    let mut busy = [0, 1].map(|number| {
        let mut client = stand.dial_from(address(number));
        client.say(GET);
        client
    });
    until("they are under way", || redis.dump().len() >= 2 && stand.open() == 2);
    for number in 2..5 {
        stand.dial_from(address(number)).ends();
    }
    assert_eq!(stand.acted("max_connections"), 3);
    proxy.set(Fault::None);
    for client in &mut busy {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn an_address_has_its_most() {
    let stand = Stand::with(&[("max_connections_per_ip", "3")]);
    let mut of_one: Vec<_> = (0..3).map(|_| stand.dial_from(address(1))).collect();
    of_one.iter_mut().for_each(|client| assert_eq!(client.ask(GET).status, 200));
    for count in 1..=2 {
        stand.dial_from(address(1)).ends();
        assert_eq!(stand.acted("max_connections_per_ip"), count);
    }
    assert_eq!(stand.dial_from(address(2)).ask(GET).status, 200);
    of_one.pop();
    until("it is gone", || stand.open() == 2);
    assert_eq!(stand.dial_from(address(1)).ask(GET).status, 200);
    assert_eq!(stand.acted("max_connections_per_ip"), 2);
}

#[test]
fn an_address_has_no_more_than_half_of_all() {
    let stand = Stand::with(&[("max_connections", "5")]);
    let _open: Vec<_> = (0..3).map(|_| stand.dial_from(address(1))).collect();
    until("they are in", || stand.open() == 3);
    stand.dial_from(address(1)).ends();
    assert_eq!((stand.acted("max_connections_per_ip"), stand.acted("max_connections")), (1, 0));
}

#[test]
fn an_ipv6_network_has_its_most() {
    let port = port::free();
    if std::net::TcpListener::bind(("::1", port)).is_err() {
        return; // This machine has no IPv6.
    }
    let options = memory().set("policies.default.quota", "1000/hour");
    let settings = [("max_connections_per_ip", "2")];
    let stand = Stand::on(options, &settings, &format!("[::1]:{port}"), port);
    let dial = || {
        let stream = TcpStream::connect(("::1", port)).expect("a server");
        stream.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("a time limit");
        Conversation::over(stream)
    };
    let mut open = [dial(), dial()];
    open.iter_mut().for_each(|client| assert_eq!(client.ask(GET).status, 200));
    dial().ends();
    assert_eq!(stand.acted("max_connections_per_ip"), 1);
}

#[test]
fn proxies_have_as_many_as_they_need() {
    let options = || memory().set("policies.default.quota", "1000/hour");
    let directory = TempDir::with_prefix("tollgate-socket-").expect("a temporary directory");
    let settings = [("max_connections_per_ip", "1")];
    let trusting = Stand::of(options().set("client_ip.trusted_proxies", "127.0.1.0/24"), &settings);
    let hops = options().set("client_ip.hops", "1").set("client_ip.header", "x-forwarded-for");
    for stand in [&trusting, &Stand::of(hops, &settings)] {
        let mut open: Vec<_> = (0..5).map(|_| stand.dial_from(address(0))).collect();
        open.iter_mut().for_each(|proxy| assert_eq!(proxy.ask(GET).status, 200));
        assert_eq!(stand.acted("max_connections_per_ip"), 0);
    }
    // Who is no proxy is counted beside them.
    let _first = trusting.dial();
    until("it is in", || trusting.open() >= 1);
    trusting.dial().ends();

    let path = directory.path().join("socket");
    let listen = format!("unix:{}", path.display());
    let port = port::free();
    let stand = Stand::on(options(), &settings, &listen, port);
    let mut open: Vec<_> = (0..5).map(|_| Conversation::over(connect_unix(&path))).collect();
    open.iter_mut().for_each(|client| assert_eq!(client.ask(GET).status, 200));
    assert_eq!(stand.acted("max_connections_per_ip"), 0);
}

#[test]
fn addresses_on_access_allow_have_as_many_as_they_need_unless_they_are_blocked() {
    let options = memory()
        .set("policies.default.quota", "1000/hour")
        .set("access.allow", "127.0.1.0/24")
        .set("access.block", "127.0.1.2");
    let stand = Stand::of(options, &[("max_connections_per_ip", "1")]);
    let mut open: Vec<_> = (0..5).map(|_| stand.dial_from(address(0))).collect();
    open.iter_mut().for_each(|client| assert_eq!(client.ask(GET).status, 200));
    assert_eq!(stand.acted("max_connections_per_ip"), 0);
    let _first = stand.dial_from(address(1));
    until("it is in", || stand.open() == 6);
    stand.dial_from(address(1)).ends();
    assert_eq!(stand.acted("max_connections_per_ip"), 1);
}
