//! Whatever a client writes: what our proxy appends is what counts.

use super::*;

/// Text that clients may write to the left of what a proxy appends.
fn forged() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "6.6.6.6",
        "10.0.0.1",
        "::1",
        "for=",
        "for=6.6.6.6",
        "\"",
        "\\",
        "\\\"",
        ",",
        ";",
        "=",
        " ",
        "\t",
        "[",
        "]",
        ":",
        "unknown",
        "_x",
        "by=\"",
        "10.0.0.2,",
        "for=\"10.0.0.3\",",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat()),
        "[ -~\t]{0,64}",
    ]
}

proptest! {
    #[test]
    fn nothing_before_what_a_proxy_appended_changes_how_that_is_read(
        forged in forged(),
        in_one_line: bool,
        quoted: bool,
    ) {
        for (header, appended) in [
            ("x-forwarded-for", "203.0.113.7:80"),
            ("x-real-ip", "203.0.113.7"),
            ("forwarded", if quoted { "for=\"203.0.113.7:80\"" } else { "for=203.0.113.7;proto=http" }),
        ] {
            let joined = format!("{forged}, {appended}");
            let lines: &[_] =
                if in_one_line { &[(header, &*joined)] } else { &[(header, &*forged), (header, appended)] };
            for client_ip in [behind(&["10.0.0.0/8"], header), hops(1, header)] {
                prop_assert_eq!(found(&client_ip, "10.0.0.1", lines), "203.0.113.7", "{:?}", lines);
            }
            // And not at all where it is not our proxy's.
            let client_ip = behind(&["10.0.0.0/8"], header);
            prop_assert_eq!(found(&client_ip, "203.0.113.9", lines), "203.0.113.9");
        }
    }

    #[test]
    fn no_value_makes_it_panic(line in "[\\PC\t]{0,80}", header in "x-forwarded-for|forwarded") {
        let client_ip = behind(&["0.0.0.0/1", "128.0.0.0/1", "::/0"], &header);
        found(&client_ip, "10.0.0.1", &[(&header, &line)]);
    }
}

#[test]
fn a_chain_is_read_so_far_and_no_further() {
    let chain = |length: usize| "10.0.0.2, ".repeat(length) + "10.0.0.3";
    let client_ip = behind(&["10.0.0.0/8"], "x-forwarded-for");
    let of = |line: &str| found(&client_ip, "10.0.0.1", &[("x-forwarded-for", line)]);
    // 31 entries of proxies, and a client before them.
    assert_eq!(of(&format!("203.0.113.7, {}", chain(30))), "203.0.113.7");
    assert_eq!(of(&format!("203.0.113.7, {}", chain(31))), "10.0.0.2");
    assert_eq!(of(&chain(10_000)), "10.0.0.2");
    assert_eq!(of(&format!("203.0.113.7{}", ",".repeat(100_000))), "10.0.0.1");
    assert_eq!(of(&format!("203.0.113.7, {}", "9".repeat(100_000))), "10.0.0.1");
    assert_eq!(of(&format!("203.0.113.7{}", " ".repeat(100_000))), "10.0.0.1");
    // The same in lines of their own.
    let lines = vec![("x-forwarded-for", "10.0.0.2"); 10_000];
    assert_eq!(found(&client_ip, "10.0.0.1", &lines), "10.0.0.2");
}

#[test]
fn empty_entries_are_passed_over() {
    let client_ip = behind(&["10.0.0.0/8"], "x-forwarded-for");
    for line in ["203.0.113.7,", "203.0.113.7, ,\t,", ",203.0.113.7,,10.0.0.2"] {
        assert_eq!(found(&client_ip, "10.0.0.1", &[("x-forwarded-for", line)]), "203.0.113.7");
    }
}
