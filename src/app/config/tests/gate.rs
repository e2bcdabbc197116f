//! The section `[gate]`, with the files of `[gate.tls]`, which are read with the configuration.

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

use super::*;

const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// A certificate in PEM, and its key.
fn pair() -> (Scratch, Scratch) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["h".to_owned()]).unwrap();
    (Scratch::new(cert.pem()), Scratch::new(signing_key.serialize_pem()))
}

/// `[gate.tls]` with these files.
fn tls(files: &[(&str, &Scratch)]) -> String {
    let line = |(name, file): &(&str, &Scratch)| format!("{name} = {:?}\n", file.name());
    "[gate.tls]\n".to_owned() + &files.iter().map(line).collect::<String>()
}

#[test]
fn it_has_limits_of_its_own_and_the_others_of_the_server() {
    let text = "[server]\nmax_headers = 7\nbody_timeout_ms = 100\nmax_connections = 5\n\
                [gate]\nmax_connections = 9\nmax_batch = 128\nbody_timeout_ms = 200\nmax_body_bytes = 300";
    let Config { server, gate, .. } = load_text(text).unwrap();
    assert_eq!((server.max_connections, gate.max_connections, gate.max_batch), (5, 9, 128));
    assert_eq!((server.limits.max_headers, gate.limits.max_headers), (7, 7));
    let bodies =
        |limits: ConnectionLimits| (limits.body_timeout.as_millis(), limits.max_body_bytes);
    assert_eq!(bodies(server.limits), (100, 1_048_576));
    assert_eq!(bodies(gate.limits), (200, 300));
}

#[test]
fn its_numbers_have_ranges() {
    for (option, expected) in [
        ("max_batch = 129", "gate.max_batch: expected a whole number from 1 to 128, got 129"),
        ("max_batch = 0", "gate.max_batch: expected a whole number from 1 to 128, got 0"),
        (
            "max_connections = 0",
            "gate.max_connections: expected a whole number from 1 to 1000000, got 0",
        ),
        (
            "header_timeout_ms = 99",
            "gate.header_timeout_ms: expected a whole number from 100 to 3600000, got 99",
        ),
        (
            "write_timeout_ms = 100",
            "gate.write_timeout_ms: unknown key, expected token_sha256, tls, proxy_protocol, max_connections, \
             max_batch, header_timeout_ms, body_timeout_ms, keep_alive_ms, max_body_bytes or listen",
        ),
    ] {
        assert_eq!(error_of_text(&format!("[gate]\n{option}")), expected);
    }
}

#[test]
fn others_than_this_machine_reach_it_only_if_it_knows_its_callers() {
    let (certificate, key) = pair();
    let open = "[gate]\nlisten = \"0.0.0.0:8082\"\n";
    let identity = [("cert_file", &certificate), ("key_file", &key)];
    let with_callers = [&identity[..], &[("client_ca_file", &certificate)]].concat();
    let refused = "gate.listen: others than this machine reach it, so it needs a token: expected gate.token_sha256, \
                   which `tollgate keys token` makes, gate.tls.client_ca_file, or an address such as 127.0.0.1:8082";
    assert_eq!(error_of_text(open), refused);
    assert_eq!(
        error_of_text(&format!("{open}{}", tls(&identity))),
        refused,
        "TLS alone is not enough"
    );
    let token = format!("{open}token_sha256 = \"{DIGEST}\"\n");
    assert!(load_text(&token).unwrap().gate.token.is_some());
    assert!(load_text(&format!("{open}{}", tls(&with_callers))).is_ok());
    for address in ["127.0.0.1:8082", "[::1]:8082", "localhost:8082", "unix:/run/gate.sock"] {
        assert!(load_text(&format!("[gate]\nlisten = {address:?}")).is_ok(), "{address}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (certificate, key) = pair();
    let other = Scratch::new(KeyPair::generate().unwrap().serialize_pem());
    let empty = Scratch::new("");
    let broken = Scratch::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let identity = [("cert_file", &certificate), ("key_file", &key)];
    let with = |ca| [&identity[..], &[("client_ca_file", ca)]].concat();
    let cases: [(Vec<(&str, &Scratch)>, &str); 8] = [
        (
            vec![("cert_file", &empty), ("key_file", &key)],
            "cert_file: there is no certificate in it: expected PEM",
        ),
        (
            vec![("cert_file", &broken), ("key_file", &key)],
            "cert_file: what should be a certificate in it is none",
        ),
        (
            vec![("cert_file", &certificate), ("key_file", &empty)],
            "key_file: there is no private key in it: expected PEM, not encrypted",
        ),
        (
            vec![("cert_file", &certificate), ("key_file", &other)],
            "key_file: its private key is not that of the certificate",
        ),
        (vec![("cert_file", &certificate)], "cert_file: it is of no use without a key_file"),
        (vec![("key_file", &key)], "key_file: it is of no use without a cert_file"),
        (
            vec![("client_ca_file", &certificate)],
            "client_ca_file: it is of no use without a cert_file and a key_file",
        ),
        (with(&empty), "client_ca_file: there is no certificate in it: expected PEM"),
    ];
    for (files, expected) in cases {
        assert_eq!(error_of_text(&tls(&files)), format!("gate.tls.{expected}"));
    }
    let gone = "[gate.tls]\ncert_file = \"/no/such\"\nkey_file = \"/no/such\"";
    let expected =
        "gate.tls.cert_file: /no/such cannot be read: No such file or directory (os error 2)";
    assert_eq!(error_of_text(gone), expected);
}

#[test]
fn its_key_is_not_shown() {
    let (certificate, key) = pair();
    let files = [("cert_file", &certificate), ("key_file", &key), ("client_ca_file", &certificate)];
    let gate = load_text(&tls(&files)).unwrap().gate;
    assert_eq!(format!("{:?}", gate.tls), "Some(ServerTls { knows_clients: true })");
}
