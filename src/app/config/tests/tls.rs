//! The files of `[store.tls]`, which are read with the configuration.

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

use super::*;

const URL: &str = "url = \"rediss://h\"";

/// A certificate in PEM, and its key.
fn pair() -> (Scratch, Scratch) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["h".to_owned()]).unwrap();
    (Scratch::new(cert.pem()), Scratch::new(signing_key.serialize_pem()))
}

/// The errors of `[store.tls]` with these options.
fn errors(url: &str, options: &[(&str, &Scratch)]) -> Vec<String> {
    let line = |(name, file): &(&str, &Scratch)| format!("{name} = {:?}\n", file.name());
    let lines: String = options.iter().map(line).collect();
    match load_text(&format!("[store]\n{url}\n[store.tls]\n{lines}")) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(|error| error.to_string().split(" (from ").next().unwrap().to_owned())
            .collect(),
    }
}

#[test]
fn files_that_fit_are_taken() {
    let (certificate, key) = pair();
    let all = [("ca_file", &certificate), ("cert_file", &certificate), ("key_file", &key)];
    for url in [URL, "url = \"rediss+cluster://h\"", "url = \"rediss+sentinel://h/n\""] {
        assert_eq!(errors(url, &all), [""; 0]);
    }
    let text = format!("[store]\n{URL}\n[store.tls]\nca_file = {:?}", certificate.name());
    let config = load_text(&text).unwrap();
    assert_eq!(
        format!("{:?}", config.store.tls),
        "RedisTls { has_authorities: true, has_identity: false }"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let (certificate, key) = pair();
    let other = Scratch::new(KeyPair::generate().unwrap().serialize_pem());
    let (empty, broken) = (
        Scratch::new(""),
        Scratch::new("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    );
    let no_certificate = "there is no certificate in it: expected PEM";
    let cases: [(&[(&str, &Scratch)], String); 7] = [
        (&[("ca_file", &empty)], format!("store.tls.ca_file: {no_certificate}")),
        (
            &[("ca_file", &broken)],
            "store.tls.ca_file: what should be a certificate in it is none".to_owned(),
        ),
        (
            &[("cert_file", &empty), ("key_file", &key)],
            format!("store.tls.cert_file: {no_certificate}"),
        ),
        (
            &[("cert_file", &certificate), ("key_file", &empty)],
            "store.tls.key_file: there is no private key in it: expected PEM, not encrypted"
                .to_owned(),
        ),
        (
            &[("cert_file", &certificate), ("key_file", &other)],
            "store.tls.key_file: its private key is not that of the certificate".to_owned(),
        ),
        (
            &[("cert_file", &certificate)],
            "store.tls.cert_file: it is of no use without a key_file".to_owned(),
        ),
        (
            &[("key_file", &key)],
            "store.tls.key_file: it is of no use without a cert_file".to_owned(),
        ),
    ];
    for (options, error) in cases {
        assert_eq!(errors(URL, options), [error]);
    }
    let gone = Scratch::new("").0.clone();
    let error = error_of_text(&format!("[store]\n{URL}\n[store.tls]\nca_file = {gone:?}"));
    let gone = gone.display();
    assert_eq!(
        error,
        format!("store.tls.ca_file: {gone} cannot be read: No such file or directory (os error 2)")
    );
}

#[test]
fn files_are_of_no_use_to_a_url_without_tls() {
    let (certificate, _) = pair();
    for url in ["", "url = \"memory:\"", "url = \"redis+cluster://h\""] {
        let found = errors(url, &[("ca_file", &certificate)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("store.tls.ca_file: the store's URL is one without TLS"));
    }
}
