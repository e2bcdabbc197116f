//! The table of attacks: what a client writes, to which server, and who is counted for it.

use rustix::process::Signal;

use super::*;
use crate::support::raw::{ask, reset};

/// The client writes what it likes, and reaches the app past every proxy.
#[test]
fn whoever_is_no_proxy_is_counted_by_its_connection_whatever_it_writes() {
    let attacks: [&[(&str, &str)]; 13] = [
        &[("x-forwarded-for", "203.0.113.7")],
        &[("X-FORWARDED-FOR", "203.0.113.7, 127.0.0.2")],
        &[("x-forwarded-for", "127.0.0.2"), ("x-forwarded-for", "127.0.0.3")],
        &[("x-forwarded-for", "::1")],
        &[("forwarded", "for=203.0.113.7")],
        &[("forwarded", "for=\"[::1]\";by=127.0.0.2")],
        &[("x-real-ip", "203.0.113.7")],
        &[("cf-connecting-ip", "203.0.113.7")],
        &[("true-client-ip", "203.0.113.7"), ("x-client-ip", "203.0.113.7")],
        &[("x-forwarded-for", ""), ("x-forwarded-for", "")],
        &[("x-forwarded-for", "}:{ip:203.0.113.7")],
        &[("via", "1.1 127.0.0.2"), ("x-forwarded-host", "127.0.0.2")],
        &[("x-forwarded", "for=203.0.113.7"), ("x_forwarded_for", "203.0.113.7")],
    ];
    for header in ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip"] {
        let stand = Stand::of(behind(header));
        for lines in attacks {
            assert_eq!(stand.counted(CLIENT, lines), ["ip:127.0.0.9"], "{header}: {lines:?}");
        }
    }
    let nobody_is_trusted = Stand::of(Options::default());
    for lines in attacks {
        assert_eq!(nobody_is_trusted.counted(CLIENT, lines), ["ip:127.0.0.9"], "{lines:?}");
        assert_eq!(nobody_is_trusted.counted(PROXY, lines), ["ip:127.0.0.2"], "{lines:?}");
    }
}

/// The client writes what it likes, and the proxy appends where the request came from.
#[test]
fn before_what_a_proxy_appended_a_client_may_write_what_it_likes() {
    let writings = [
        "6.6.6.6",
        "127.0.0.1",
        "127.0.0.2",
        "10.0.0.1",
        "6.6.6.6, 10.0.0.1, 127.0.0.3",
        "for=6.6.6.6",
        "for=\"",
        "for=\"6.6.6.6, for=\"",
        "for=6.6.6.6;by=\"\\",
        "\"",
        "\\\"\\\\",
        ",,,,",
        ";;;;",
        "unknown",
        "_hidden",
        "[::1]",
        "[",
        "}:{ip:6.6.6.6}",
        "%2c 6.6.6.6",
        "\t",
        "",
    ];
    let appended = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;proto=https"),
        ("forwarded", "proto=https;for=\"203.0.113.7:4711\""),
    ];
    for (header, appended) in appended {
        let stand = Stand::of(behind(header));
        for written in writings {
            let joined = format!("{written}, {appended}");
            for lines in [&[(header, &*joined)][..], &[(header, written), (header, appended)]] {
                assert_eq!(stand.counted(PROXY, lines), ["ip:203.0.113.7"], "{lines:?}");
            }
        }
    }
}

#[test]
fn what_a_proxy_says_that_is_no_address_counts_the_proxy() {
    let cases = [
        ("x-forwarded-for", "unknown"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7.1"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.7 "),
        ("x-forwarded-for", "6.6.6.6, <203.0.113.7>"),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.007"),
        ("x-real-ip", "localhost"),
        ("forwarded", "for=6.6.6.6, for=unknown"),
        ("forwarded", "for=6.6.6.6, for=_hidden"),
        ("forwarded", "for=6.6.6.6, proto=https"),
        ("forwarded", "for=6.6.6.6, for=1.1.1.1;for=2.2.2.2"),
        ("forwarded", "6.6.6.6"),
    ];
    for header in ["x-forwarded-for", "x-real-ip", "forwarded"] {
        let stand = Stand::of(behind(header));
        for (_, line) in cases.iter().filter(|(of, _)| *of == header) {
            let expected = if line.ends_with("7 ") { "ip:203.0.113.7" } else { "ip:127.0.0.2" };
            assert_eq!(stand.counted(PROXY, &[(header, line)]), [expected], "{line:?}");
        }
    }
}

#[test]
fn a_chain_of_ten_thousand_entries_is_a_request_like_any_other() {
    for (header, entry, last) in [
        ("x-forwarded-for", "10.0.0.2", "10.0.0.3"),
        ("forwarded", "for=10.1.1", "for=10.0.0.3"),
        ("forwarded", "\"\\\"\\\"\"", "for=10.0.0.3"),
    ] {
        let longest = behind(header).set("server.max_head_bytes", "131071");
        let stand = Stand::of(longest);
        let trusted = format!("{entry},").repeat(10_000) + last;
        let who = stand.counted(PROXY, &[(header, &trusted)]);
        let expected = if header == "forwarded" { "ip:10.0.0.3" } else { "ip:10.0.0.2" };
        assert_eq!(who, [expected], "{header}: {entry}");
        let forged = format!("{entry},").repeat(10_000) + &last.replace("10.0.0.3", "203.0.113.7");
        assert_eq!(stand.counted(PROXY, &[(header, &forged)]), ["ip:203.0.113.7"]);
        assert_eq!(stand.counted(CLIENT, &[(header, &forged)]), ["ip:127.0.0.9"]);
        // Without separators, and with nothing but them.
        for line in ["1".repeat(100_000), ",".repeat(100_000), "\\\"".repeat(50_000)] {
            assert_eq!(stand.counted(PROXY, &[(header, &line)]), ["ip:127.0.0.2"]);
        }
        // In lines of their own, as many as a request may have.
        let lines = vec![(header, last); 90];
        assert_eq!(stand.counted(PROXY, &lines), ["ip:10.0.0.3"]);
    }
}

/// The address of a connection can no longer be had when its client has reset it.
#[test]
fn a_connection_without_an_address_is_no_proxys() {
    // One of each, so that what comes first is counted first.
    let options = behind("x-forwarded-for").set("server.workers", "1");
    let mut stand = Stand::of(options.set("store.connections", "1"));
    stand.forget();
    stand.tollgate.signal(Signal::STOP);
    for _ in 0..10 {
        let mut stream = connect_from(CLIENT, stand.port);
        ask(&mut stream, "/api/data", &[("x-forwarded-for", "203.0.113.7")]);
        reset(stream);
    }
    stand.tollgate.signal(Signal::CONT);
    assert_eq!(stand.get(CLIENT, &[]).status, 200);
    let counted = stand.everyone_counted();
    assert!(counted.contains(&"ip:127.0.0.9".to_owned()), "{counted:?}");
    assert!(!counted.contains(&"ip:203.0.113.7".to_owned()), "{counted:?}");
}

#[test]
fn forging_neither_opens_a_closed_gate_nor_closes_it_to_others() {
    let stand = Stand::of(behind("x-forwarded-for").set("policies.default.key", "ip"));
    stand.forget();
    let victim = [("x-forwarded-for", "203.0.113.7")];
    for number in 0..200_u8 {
        let forged = format!("10.0.0.{number}, 203.0.113.7, 198.51.100.66");
        assert_eq!(stand.get(PROXY, &[("x-forwarded-for", &forged)]).status, 200);
        assert_eq!(stand.get(CLIENT, &victim).status, 200);
    }
    let left = |source, lines: &[(&str, &str)]| {
        let response = stand.get(source, lines);
        let field = response.header("ratelimit").expect("RateLimit").to_owned();
        field.split(";t=").next().expect("a part").to_owned()
    };
    assert_eq!(left(PROXY, &[("x-forwarded-for", "198.51.100.66")]), r#""default";r=799"#);
    assert_eq!(left(CLIENT, &[]), r#""default";r=799"#);
    assert_eq!(left(PROXY, &victim), r#""default";r=999"#, "nobody else was charged");
}
