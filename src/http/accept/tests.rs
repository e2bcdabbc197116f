use super::*;

use super::BodyFormat::{Html, Json, Text};

fn format_of(accept: &str, formats: &[BodyFormat]) -> Option<BodyFormat> {
    own_format([accept.as_bytes()].into_iter(), |it| formats.contains(&it))
}

#[test]
fn a_client_gets_the_format_that_it_likes_best() {
    for (accept, expected) in [
        // What takes everything alike gets problem details.
        ("*/*", None),
        ("application/*", None),
        ("*/*;q=0.1", None),
        ("application/problem+json", None),
        ("application/problem+json, application/json", None),
        ("application/problem+json, text/html;q=0.9", None),
        // What is named.
        ("application/json", Some(Json)),
        ("text/html", Some(Html)),
        ("Text/HTML;level=1", Some(Html)),
        ("text/plain", Some(Text)),
        ("text/plain;charset=utf-8", Some(Text)),
        ("text/*", Some(Html)),
        // What a browser and a library send.
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Html)),
        ("application/json, text/plain, */*", Some(Json)),
        // Weights before exactness, and exactness before wildcards.
        ("text/html;q=0.5, text/plain;q=0.6", Some(Text)),
        ("application/json;q=0.5, */*;q=0.8", None),
        ("text/html, */*", Some(Html)),
        ("*/*, text/html;q=0.2", None),
        ("text/*;q=0.9, text/html;q=0.1", Some(Text)),
        ("text/html;q=0, */*;q=0.5", None),
        ("application/problem+json;q=0, text/plain;q=0.1", Some(Text)),
        // Nothing that there is.
        ("", None),
        ("image/png", None),
        ("text/html;q=0", None),
        ("text/html;q=2", None),
        ("application/vnd.api+json", None),
        ("text/html+x", None),
        ("nonsense", None),
    ] {
        assert_eq!(format_of(accept, &[Json, Html, Text]), expected, "{accept}");
    }
}

#[test]
fn without_a_json_of_its_own_json_is_that_of_problem_details() {
    for (accept, expected) in [
        ("application/json", None),
        ("application/json, text/html", None),
        ("application/json;q=0.9, text/html", Some(Html)),
        ("text/plain", None),
        ("text/plain, text/*;q=0.5", Some(Html)),
    ] {
        assert_eq!(format_of(accept, &[Html]), expected, "{accept}");
    }
    assert_eq!(format_of("text/html", &[]), None);
}

#[test]
fn all_lines_are_one_list_and_one_that_is_no_text_is_left_out() {
    let lines: [&[u8]; 3] = [b"text/html;q=0.1", b"\xff", b"text/plain"];
    assert_eq!(own_format(lines.into_iter(), |_| true), Some(Text));
}
