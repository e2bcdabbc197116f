use super::*;
use crate::app::access_log::request::LoggedRequest;

fn read(line: &str) -> Result<LoggedRequest, &'static str> {
    let mut draft = Draft::default();
    Clf::default().read(line.as_bytes(), &mut draft)?;
    draft.finish().ok_or("it has no time")?;
    let request = draft.take().map(|(request, _)| request).next();
    request.ok_or("no request was drafted")
}

/// The address and the user of a line that begins with `client`.
fn client(client: &str) -> (Option<String>, Option<String>) {
    let line = format!("{client} [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1");
    let request = read(&line).unwrap();
    let user = request.user().map(|user| String::from_utf8_lossy(user).into_owned());
    (request.peer().map(|it| it.to_string()), user)
}

#[test]
fn a_client_may_have_a_host_before_it_and_a_user_with_spaces_and_brackets() {
    let cases: [(&str, Option<&str>, Option<&str>); 12] = [
        ("203.0.113.7 - -", Some("203.0.113.7"), None),
        ("203.0.113.7 - \"\"", Some("203.0.113.7"), None),
        ("203.0.113.7 ident ann", Some("203.0.113.7"), Some("ann")),
        ("203.0.113.7:51000 - ann", Some("203.0.113.7"), Some("ann")),
        ("[2001:db8::7]:51000 - ann", Some("2001:db8::7"), Some("ann")),
        ("203.0.113.7 - ann [1x] smith", Some("203.0.113.7"), Some("ann [1x] smith")),
        ("203.0.113.7 - corp\\\\ann", Some("203.0.113.7"), Some("corp\\ann")),
        ("shop.example.com:443 203.0.113.7 - ann", Some("203.0.113.7"), Some("ann")),
        ("198.51.100.1:80 203.0.113.7 - ann", Some("203.0.113.7"), Some("ann")),
        ("198.51.100.1, 203.0.113.7 - ann", Some("203.0.113.7"), Some("ann")),
        ("host.example - ann", None, Some("ann")),
        ("- - ann", None, Some("ann")),
    ];
    for (text, address, user) in cases {
        assert_eq!(client(text), (address.map(Into::into), user.map(Into::into)), "{text}");
    }
}

#[test]
fn a_list_of_addresses_is_the_forwarding_field() {
    let request = read(
        "\"198.51.100.1, 203.0.113.7\" - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
    )
    .unwrap();
    assert_eq!(request.field("x-forwarded-for"), Some(b"198.51.100.1, 203.0.113.7".as_slice()));
}

#[test]
fn a_field_behind_the_agent_is_taken_for_addresses_only_if_it_has_some() {
    let start = "203.0.113.7 - - [01/May/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"a\"";
    for (end, expected) in [
        (" \"198.51.100.1, 203.0.113.9\" 0.3", Some("198.51.100.1, 203.0.113.9")),
        (" \"-\"", None),
        (" \"gzip\"", None),
        (" 0.3", None),
        ("", None),
    ] {
        let request = read(&format!("{start}{end}")).unwrap();
        let found = request.field("x-forwarded-for");
        assert_eq!(found, expected.map(str::as_bytes), "{end}");
        assert_eq!(request.field("user-agent"), Some(b"a".as_slice()));
        assert_eq!(request.field("referer"), None);
    }
}

#[test]
fn what_is_no_request_is_a_target_without_a_method() {
    for (text, method, target) in [
        ("\"GET /a b HTTP/1.1\"", "GET", "/a b"),
        ("\"GET /\"", "GET", "/"),
        ("\"OPTIONS * HTTP/1.1\"", "OPTIONS", "*"),
        ("\"CONNECT example.com:443 HTTP/1.1\"", "CONNECT", "example.com:443"),
        ("\"GET /\\\"a\\\" HTTP/1.1\"", "GET", "/\"a\""),
        ("\"-\"", "", ""),
        ("\"\"", "", ""),
        ("\"quit\"", "", "quit"),
        ("\"\\x16\\x03\\x01\"", "", "\u{16}\u{3}\u{1}"),
        ("\"GET /cut", "", "GET /cut"),
        ("", "", ""),
    ] {
        let line = format!("203.0.113.7 - - [01/May/2024:12:00:00 +0000] {text}");
        let request = read(&line).unwrap();
        assert_eq!(request.method(), method.as_bytes(), "{text}");
        assert_eq!(request.target(), target.as_bytes(), "{text}");
    }
}

#[test]
fn a_line_without_a_time_is_refused() {
    for line in [
        "",
        "203.0.113.7 - - \"GET / HTTP/1.1\" 200 1",
        "203.0.113.7 - - [01/May/2024:12:00:00 +0000",
        "203.0.113.7 - - [31/Feb/2024:12:00:00 +0000] \"GET / HTTP/1.1\" 200 1",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}
