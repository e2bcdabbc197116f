//! Which connections are registered, and which close to make room for them.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Waker;

use super::*;
use crate::app::connections::{Directive, Registration};
use crate::domain::clock::ManualClock;
use crate::domain::network::Network;

fn connections(capacity: Capacity) -> (Arc<Connections>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(1_000));
    (Connections::new("server", capacity, clock.clone()), clock)
}

/// With this many in all, and no more rules.
fn in_all(total: usize) -> (Arc<Connections>, Arc<ManualClock>) {
    connections(Capacity { total, ..Capacity::default() })
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().expect("an address"))
}

fn directive(registration: &Registration) -> Directive {
    registration.wait(&Context::from_waker(Waker::noop()))
}

/// A connection that waits for its client from now on.
fn waiting(connections: &Arc<Connections>) -> Registration {
    let registration = Registration::open(connections, None).expect("there is room");
    assert_eq!(directive(&registration), Directive::Stay);
    registration
}

fn are_to_close(registrations: &[Registration]) -> Vec<bool> {
    registrations.iter().map(|it| directive(it) == Directive::Close).collect()
}

#[test]
fn the_longest_waiting_one_ends_for_a_new_one() {
    let (connections, clock) = in_all(4);
    let open: Vec<_> = (0..4)
        .map(|_| {
            clock.advance(10);
            waiting(&connections)
        })
        .collect();
    // The first did what it was waited for, and is waited for anew.
    open[0].progressed();
    clock.advance(10);
    assert_eq!(are_to_close(&open), [false; 4]);
    let mut expected = [false; 4];
    for ended in [1, 2, 3, 0] {
        assert!(Registration::open(&connections, None).is_ok());
        expected[ended] = true;
        assert_eq!(are_to_close(&open), expected);
    }
    assert_eq!(connections.acted(Limit::MaxConnections), 4);
}

#[test]
fn one_that_is_being_answered_does_not_end() {
    let (connections, clock) = in_all(2);
    let answered = [waiting(&connections), waiting(&connections)];
    answered.iter().for_each(Registration::progressed);
    clock.advance(1_000);
    assert_eq!(Registration::open(&connections, None).expect_err("no room"), Limit::MaxConnections);
    assert_eq!(are_to_close(&answered), [false; 2]);
    // Now both wait.
    assert!(Registration::open(&connections, None).is_ok());
    assert_eq!(connections.acted(Limit::MaxConnections), 2);
}

#[test]
fn one_that_is_to_end_gives_its_last_answer() {
    let (connections, _) = in_all(1);
    let first = waiting(&connections);
    assert!(!first.is_last_response());
    let _second = Registration::open(&connections, None).expect("the first makes room");
    assert!(first.is_last_response());
}

#[test]
fn however_many_there_are_there_is_one_to_end() {
    for count in [1, 2, 255, 256, 257, 300, 600, 1_000, 1_025] {
        let (connections, clock) = in_all(count);
        let mut open: Vec<_> = (0..count).map(|_| waiting(&connections)).collect();
        for number in 0..5 * count {
            clock.advance(1);
            let new = Registration::open(&connections, None);
            let new = new.unwrap_or_else(|_| panic!("number {number} over {count} is refused"));
            directive(&new);
            open.push(new);
            // They end as they are told.
            open.retain(|it| directive(it) != Directive::Close);
            assert_eq!((open.len(), connections.open()), (count, count));
        }
    }
}

#[test]
fn there_are_few_more_than_the_most_while_others_end() {
    let (connections, _) = in_all(100);
    let _open: Vec<_> = (0..100).map(|_| waiting(&connections)).collect();
    let mut over = Vec::new();
    while let Ok(new) = Registration::open(&connections, None) {
        over.push(new);
    }
    assert_eq!(over.len(), SPARE);
    assert_eq!(connections.open(), 100 + SPARE);
    assert_eq!(connections.acted(Limit::MaxConnections), SPARE as u64 + 1);
    assert_eq!(connections.accepted(), 100 + SPARE as u64 + 1);
}

#[test]
fn a_new_one_waits_for_those_that_are_to_close() {
    let most = Capacity { total: 1, per_address: Some(1), ..Capacity::default() };
    let (connections, _) = connections(most);
    let mut open: Vec<_> = (0..SPARE).map(|_| waiting(&connections)).collect();
    open.push(Registration::open(&connections, address("192.0.2.1")).expect("one to spare"));
    actix_web::rt::System::new().block_on(async {
        let mut new = pin!(connections.wait_for_room(address("192.0.2.2")));
        assert!(poll_once(new.as_mut()).await.is_pending());
        // This address has its most, whoever ends.
        let refused = pin!(connections.wait_for_room(address("192.0.2.1")));
        assert!(poll_once(refused).await.is_ready());
        // They end as they are told.
        open.retain(|it| directive(it) != Directive::Close);
        new.await;
        assert!(Registration::open(&connections, address("192.0.2.2")).is_ok());
    });
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

#[test]
fn an_address_has_its_most_and_gets_it_back() {
    let (connections, _) =
        connections(Capacity { total: 100, per_address: Some(2), ..Capacity::default() });
    let take = |text| Registration::open(&connections, address(text));
    let mut ann = vec![take("192.0.2.1").expect("1 of 2"), take("::ffff:192.0.2.1").expect("2")];
    assert_eq!(take("192.0.2.1").expect_err("3 of 2"), Limit::MaxConnectionsPerIp);
    let _other = take("192.0.2.2").expect("another address");
    ann.pop();
    ann.push(take("192.0.2.1").expect("2 of 2"));
    assert_eq!(take("192.0.2.1").expect_err("3 of 2"), Limit::MaxConnectionsPerIp);
    assert_eq!(connections.acted(Limit::MaxConnectionsPerIp), 2);
    assert_eq!(connections.acted(Limit::MaxConnections), 0);
    assert_eq!(connections.table().of_address.len(), 2);
    drop((ann, _other));
    assert_eq!((connections.open(), connections.table().of_address.len()), (0, 0));
}

#[test]
fn an_ipv6_network_is_one_address() {
    let ipv6_prefix = Ipv6Prefix::new(56).expect("a length");
    let most = Capacity { total: 100, per_address: Some(2), ipv6_prefix, ..Capacity::default() };
    let (connections, _) = connections(most);
    let take = |text| Registration::open(&connections, address(text));
    let _open = [
        take("2001:db8:0:aa00::1").expect("1 of 2"),
        take("2001:db8:0:aaff::2").expect("2 of 2"),
        take("2001:db8:0:ab00::1").expect("another network"),
    ];
    let third = take("2001:db8:0:aa12:3456::1");
    assert_eq!(third.expect_err("3 of 2"), Limit::MaxConnectionsPerIp);
}

#[test]
fn proxies_may_have_all_of_them() {
    let proxies = ["10.0.0.0/8", "fd00::/8"].map(|it| it.parse::<Network>().expect("a network"));
    let proxies = proxies.into_iter().collect();
    let (connections, _) =
        connections(Capacity { total: 100, per_address: Some(1), proxies, ..Capacity::default() });
    let mut open = Vec::new();
    for peer in ["10.0.0.1", "::ffff:10.0.0.1", "fd00::1"] {
        open.extend(
            (0..5).map(|_| Registration::open(&connections, address(peer)).expect("a proxy")),
        );
    }
    open.push(Registration::open(&connections, address("192.0.2.1")).expect("1 of 1"));
    assert!(Registration::open(&connections, address("192.0.2.1")).is_err());
    // Over a Unix socket nobody has an address.
    open.extend((0..5).map(|_| Registration::open(&connections, None).expect("no address")));
}

#[test]
fn a_stop_ends_those_that_wait_and_waits_for_the_others() {
    let (connections, _) = in_all(10);
    let emptied = || connections.poll_emptied(&mut Context::from_waker(Waker::noop())).is_ready();
    let open = [waiting(&connections), waiting(&connections)];
    assert!(!open[0].is_last_response());
    connections.enter(Stage::LastResponses);
    assert!(open[0].is_last_response());
    assert_eq!(directive(&open[0]), Directive::Stay);
    connections.enter(Stage::Ending);
    assert_eq!(open.each_ref().map(directive), [Directive::CloseIfIdle; 2]);
    assert!(!emptied());
    drop(open);
    assert!(emptied());
}
