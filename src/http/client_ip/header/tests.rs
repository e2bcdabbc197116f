use super::*;
use crate::http::request::tests::PlainRequest;

/// The addresses in these lines of `Forwarded`, the last one first.
fn forwarded(lines: &[&str]) -> Vec<String> {
    let request = lines
        .iter()
        .fold(PlainRequest::default(), |request, line| request.with_line(FORWARDED, line));
    let header: ForwardingHeader = FORWARDED.parse().unwrap();
    header.addresses(&request).map(|it| it.to_string()).collect()
}

#[test]
fn forwarded_is_read_as_rfc_7239_has_it() {
    let cases: [(&[&str], &[&str]); 15] = [
        // The examples of the RFC.
        (&["for=\"_gazonk\""], &[]),
        (&["For=\"[2001:db8:cafe::17]:4711\""], &["2001:db8:cafe::17"]),
        (&["for=192.0.2.60;proto=http;by=203.0.113.43"], &["192.0.2.60"]),
        (&["for=192.0.2.43, for=198.51.100.17"], &["198.51.100.17", "192.0.2.43"]),
        (&["for=192.0.2.43", "for=\"[2001:db8:cafe::17]\""], &["2001:db8:cafe::17", "192.0.2.43"]),
        (&["for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown"], &[]),
        (&["for=_hidden, for=192.0.2.43"], &["192.0.2.43"]),
        // Parameters in any order and case, empty ones, and space around separators.
        (&["proto=https;by=\"[::1]:80\";FOR=192.0.2.60"], &["192.0.2.60"]),
        (&[";;for=192.0.2.60 ; proto=http; "], &["192.0.2.60"]),
        // Separators in quotes separate nothing.
        (&["by=\"a,b;for=6.6.6.6\";for=192.0.2.60"], &["192.0.2.60"]),
        (
            &["for=192.0.2.43;host=\"x\\\", for=6.6.6.6\", for=192.0.2.1"],
            &["192.0.2.1", "192.0.2.43"],
        ),
        (&["for=192.0.2.43;host=\"x, for=6.6.6.6\\\"\""], &["192.0.2.43"]),
        // A string may escape what need not be escaped.
        (&["for=\"192.0.2.\\60:\\_x\""], &["192.0.2.60"]),
        (&["for=\"x\\\\\", for=192.0.2.1"], &["192.0.2.1"]),
        // As some proxies write it.
        (&["for=[2001:db8::1]:80, for=\"2001:db8::2\""], &["2001:db8::2", "2001:db8::1"]),
    ];
    for (lines, expected) in cases {
        assert_eq!(forwarded(lines), expected, "{lines:?}");
    }
}

#[test]
fn an_element_that_is_not_in_form_has_no_address() {
    for element in [
        "192.0.2.1",
        "proto=http",
        "for=",
        "=192.0.2.1",
        "for=192.0.2.1;for=192.0.2.1",
        "for=192.0.2.1;for=unknown",
        "for=192.0.2.1 proto=http",
        "for= 192.0.2.1",
        "for =192.0.2.1",
        "x;for=192.0.2.1",
        "x y=1;for=192.0.2.1",
        "for=\"192.0.2.1",
        "for=192.0.2.1\"",
        "for=\"192.0.2.1\"x",
        "for=\"192.0.2.1\\",
        "for=\"192.0.2.1\\\"",
        "for=\"\"",
        "for=\"192.0.2.1:_\"",
        "for=\"192.0.2.1:_a b\"",
    ] {
        assert_eq!(forwarded(&[element]), [""; 0], "{element}");
        assert_eq!(forwarded(&["for=6.6.6.6", element]), [""; 0], "{element}");
    }
}

#[test]
fn a_header_is_named_in_any_case_and_only_as_fields_are_named() {
    for (text, name) in [("X-Forwarded-For", "x-forwarded-for"), ("FORWARDED", "forwarded")] {
        assert_eq!(text.parse::<ForwardingHeader>().unwrap().to_string(), name);
    }
    for text in ["", " ", "x forwarded", "x-real-ip:", "größe", "x\n"] {
        let problem = text.parse::<ForwardingHeader>().unwrap_err().to_string();
        assert!(problem.contains("cannot name a header field"), "{problem}");
    }
}
