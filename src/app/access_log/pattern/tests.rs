use super::*;
use crate::app::access_log::draft::Draft;
use crate::app::access_log::request::LoggedRequest;

/// 2024-05-01T12:00:00Z
const NOON: u64 = 1_714_564_800_000;

fn read(format: &str, line: &str) -> Result<LoggedRequest, String> {
    let mut draft = Draft::default();
    format.parse::<Pattern>()?.matcher().read(line.as_bytes(), &mut draft)?;
    draft.finish().ok_or("it has no time")?;
    let request = draft.take().map(|(request, _)| request).next();
    request.ok_or_else(|| "no request was drafted".to_owned())
}

#[test]
fn a_format_may_be_a_whole_directive() {
    let bare = r#"$remote_addr - $remote_user [$time_local] "$request" $status"#;
    let directive =
        "log_format main '$remote_addr - $remote_user [$time_local] '\n  '\"$request\" $status';";
    let quoted = format!("'{bare}';");
    let in_parts = "'$remote_addr - $remote_user [$time_local] '\n'\"$request\" $status'";
    for text in [directive, &quoted, in_parts] {
        assert_eq!(text.parse::<Pattern>(), bare.parse::<Pattern>(), "{text}");
    }
    let bare = r#"%h %l %u %t "%r" %>s"#;
    for text in [r#"LogFormat "%h %l %u %t \"%r\" %>s" common"#, r#"%h %l %u %t \"%r\" %>s"#] {
        assert_eq!(text.parse::<Pattern>(), bare.parse::<Pattern>(), "{text}");
    }
}

#[test]
fn a_format_without_a_time_or_with_values_side_by_side_is_refused() {
    for text in
        ["$remote_addr $request", "%h %r", "$time_local$request", "%h%t%r", "$ $msec", "%t %"]
    {
        let is_side_by_side = text == "%h%t%r";
        // The brackets around a time separate it.
        assert_eq!(text.parse::<Pattern>().is_ok(), is_side_by_side, "{text}");
    }
}

#[test]
fn times_of_apache_may_be_in_parts() {
    for (format, time) in [
        ("%{%Y-%m-%dT%H:%M:%S%z}t %h", "2024-05-01T14:00:00+0200 203.0.113.7"),
        ("%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t %h", "01/May/2024 14:00:00.000 +0200 203.0.113.7"),
        ("%{sec}t.%{usec_frac}t %h", "1714564800.000999 203.0.113.7"),
        ("%{msec}t %h", "1714564800000 203.0.113.7"),
        ("%{usec}t %h", "1714564800000000 203.0.113.7"),
        ("%{begin:%Y%m%d%H%M%S}t %h", "20240501120000 203.0.113.7"),
    ] {
        let request = read(format, time).unwrap();
        assert_eq!(request.began_at(), NOON, "{format}");
        assert_eq!(request.peer().unwrap().to_string(), "203.0.113.7", "{format}");
    }
    let request =
        read("%{%F %T}t.%{msec_frac}t %a", "2024-05-01 12:00:00.250 203.0.113.7").unwrap();
    assert_eq!(request.began_at(), NOON + 250);
}

#[test]
fn a_duration_is_taken_off_the_time_at_the_end_alone() {
    for (format, line, began_at) in [
        ("$msec $request_time", "1714564800.500 0.250", NOON + 250),
        ("%{end:msec}t %D", "1714564800500 250000", NOON + 250),
        ("%{end:msec}t %{ms}T", "1714564800500 250", NOON + 250),
        ("%{end:msec}t %T", "1714564801000 1", NOON),
        ("%{msec}t %D", "1714564800500 250000", NOON + 500),
        ("$msec $request_time", "1714564800.500 -", NOON + 500),
        ("$msec $request_time", "1714564800.500 0.250 more", NOON + 250),
        ("\"$msec\" \"$request_time\"", "\"1714564800.500\" \"0.250\"", NOON + 250),
    ] {
        assert_eq!(read(format, line).unwrap().began_at(), began_at, "{format}: {line}");
    }
}

#[test]
fn a_path_and_a_query_are_put_together() {
    for (format, line, target) in [
        ("%{sec}t %m %U%q %h", "1714564800 GET /a?b=c 203.0.113.7", "/a?b=c"),
        ("%{sec}t %m %U %q", "1714564800 GET /a ?b=c", "/a?b=c"),
        ("%{sec}t %m %U \"%q\"", "1714564800 GET /a \"\"", "/a"),
        ("$msec $request_method $uri $args", "1714564800.000 GET /a b=c", "/a?b=c"),
        ("$msec $request_method $uri $args", "1714564800.000 GET /a -", "/a"),
        ("$msec $request_method $uri$is_args$args", "1714564800.000 GET /a?b=c", "/a?b=c"),
        ("$msec $request_method $request_uri $uri", "1714564800.000 GET /%61?b /a", "/%61?b"),
    ] {
        match read(format, line) {
            Ok(request) => {
                assert_eq!(request.target(), target.as_bytes(), "{format}: {line}");
                assert_eq!(request.method(), b"GET", "{format}: {line}");
            }
            Err(problem) => panic!("{format}: {line}: {problem}"),
        }
    }
}

#[test]
fn a_format_of_json_is_a_format_like_others() {
    let format = r#"{"at":"$time_iso8601","ip":"$remote_addr","line":"$request","agent":"$http_user_agent"}"#;
    let line = r#"{"at":"2024-05-01T12:00:00+00:00","ip":"203.0.113.7","line":"GET /\u00e9 HTTP/1.1","agent":"a \"b\""}"#;
    let request = read(format, line).unwrap();
    assert_eq!(request.target(), "/é".as_bytes());
    assert_eq!(request.field("user-agent"), Some(br#"a "b""#.as_slice()));
}

#[test]
fn a_quote_that_is_escaped_does_not_end_a_value() {
    let request =
        read("$msec \"$request\" $status", r#"1714564800.000 "GET /\" 200 HTTP/1.1" 404"#).unwrap();
    assert_eq!((request.target(), request.status()), (b"/\" 200".as_slice(), Some(404)));
}

#[test]
fn a_line_that_is_cut_off_is_a_request_if_its_time_and_address_are_there() {
    let format = "$remote_addr [$time_local] \"$request\" $status";
    let request = read(format, "203.0.113.7 [01/May/2024:12:00:00 +0000] \"GET /c").unwrap();
    assert_eq!((request.method(), request.target()), (b"".as_slice(), b"GET /c".as_slice()));
    assert!(read(format, "203.0.113.7 [01/May/2024:12:00").is_err());
    assert!(
        read("[$time_local] $remote_addr $status", "[01/May/2024:12:00:00 +0000] 203").is_err()
    );
}

#[test]
fn lists_have_spaces_behind_commas() {
    let format = r#"$http_x_forwarded_for - [$time_local] $upstream_response_time $status"#;
    let line = "198.51.100.1, 203.0.113.9 - [01/May/2024:12:00:00 +0000] 0.1, 0.2 429";
    let request = read(format, line).unwrap();
    assert_eq!(request.field("x-forwarded-for"), Some(b"198.51.100.1, 203.0.113.9".as_slice()));
    assert_eq!(request.status(), Some(429));
}
