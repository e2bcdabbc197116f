use super::*;

#[test]
fn an_address_may_have_brackets_a_port_and_a_zone() {
    let cases: [(&str, Option<&str>); 12] = [
        ("203.0.113.7", Some("203.0.113.7")),
        ("203.0.113.7:51000", Some("203.0.113.7")),
        ("2001:db8::7", Some("2001:db8::7")),
        ("[2001:db8::7]", Some("2001:db8::7")),
        ("[2001:db8::7]:51000", Some("2001:db8::7")),
        ("::ffff:203.0.113.7", Some("203.0.113.7")),
        ("fe80::1%eth0", Some("fe80::1")),
        ("", None),
        ("-", None),
        ("unknown", None),
        ("203.0.113.256", None),
        ("[2001:db8::7", None),
    ];
    for (text, expected) in cases {
        let found = read(text.as_bytes()).map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn the_last_of_a_list_is_read() {
    let read = |list: &str| read_last(list.as_bytes()).map(|address| address.to_string());
    assert_eq!(read("203.0.113.7, 198.51.100.2").as_deref(), Some("198.51.100.2"));
    assert_eq!(read("203.0.113.7").as_deref(), Some("203.0.113.7"));
    assert_eq!(read("203.0.113.7, unknown"), None);
}
