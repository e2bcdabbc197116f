use super::*;

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    unescape(text.as_bytes(), &mut bytes);
    bytes
}

#[test]
fn escapes_of_nginx_apache_and_json_are_resolved() {
    let cases: [(&str, &[u8]); 9] = [
        ("plain", b"plain"),
        (r"\x22a\x22", b"\"a\""),
        (r"\x16\x03\x01", b"\x16\x03\x01"),
        (r#"\"a\""#, b"\"a\""),
        (r"a\\b", b"a\\b"),
        (r"caf\u00e9\/", "café/".as_bytes()),
        (r"\ud800", "\u{fffd}".as_bytes()),
        (r"\q\xg0\u12", br"\q\xg0\u12"),
        (r"end\", br"end\"),
    ];
    for (text, expected) in cases {
        assert_eq!(unescaped(text), expected, "{text}");
    }
}

#[test]
fn an_escaped_quote_closes_nothing() {
    assert_eq!(closing_quote(br#"a" b"#), Some(1));
    assert_eq!(closing_quote(br#"a\" b" c"#), Some(5));
    assert_eq!(closing_quote(br#"a\\" b"#), Some(3));
    assert_eq!(closing_quote(br#"a\""#), None);
    assert_eq!(closing_quote(br"a\"), None);
}
