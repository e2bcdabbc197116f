use proptest::prelude::*;

use super::*;

#[test]
fn patterns_read_back_as_printed() {
    for text in [
        "/",
        "/*",
        "/api/data",
        "/api/data/",
        "//",
        "/a//b",
        "/api/*",
        "/{id}",
        "/api/{a}/b/{b_2}/*",
        "/caf\u{e9};v=1,2+3/~$&'()!:@",
        "/..",
        "GET /",
        "M-SEARCH /x",
        "DELETE /api/items/{id}",
    ] {
        assert_eq!(text.parse::<RoutePattern>().expect(text).to_string(), text);
    }
}

#[test]
fn what_is_no_pattern_says_why() {
    let cases = [
        ("", "expected '/' first"),
        ("api", "expected '/' first"),
        ("*", "expected '/' first"),
        ("GET", "expected '/' first"),
        ("GET api", "expected '/' first"),
        ("GET  /api", "expected '/' first"),
        ("http://h/api", "expected '/' first"),
        ("get /api", "capital letters"),
        (" /api", "capital letters"),
        ("GET,POST /api", "capital letters"),
        ("* /api", "capital letters"),
        ("/a b", "expected '/' first"),
        ("GET /a b", "without '%', '?', '#' or spaces"),
        ("/a\tb", "without '%', '?', '#' or spaces"),
        ("/a\n", "without '%', '?', '#' or spaces"),
        ("/a?b", "without '%', '?', '#' or spaces"),
        ("/a#b", "without '%', '?', '#' or spaces"),
        // Never what a decoded path has, and `%2F` not always what a client writes.
        ("/a%62", "without '%', '?', '#' or spaces"),
        ("/{}", "braces must"),
        ("/{id", "braces must"),
        ("/id}", "braces must"),
        ("/{{id}}", "braces must"),
        ("/{id}.png", "braces must"),
        ("/v{id}", "braces must"),
        ("/{a}{b}", "braces must"),
        ("/{id:[0-9]+}", "braces must"),
        ("/{tail}*", "'*' must"),
        ("/*/a", "'*' must"),
        ("/*/", "'*' must"),
        ("/a*", "'*' must"),
        ("/**", "'*' must"),
    ];
    for (text, reason) in cases {
        let error = text.parse::<RoutePattern>().expect_err(text).to_string();
        assert!(error.contains(reason), "{text:?}: {error}");
    }
}

#[test]
fn patterns_are_equal_that_are_for_the_same_requests() {
    let pattern = |text: &str| text.parse::<RoutePattern>().unwrap();
    assert_eq!(pattern("/a/{x}/b"), pattern("/a/{y}/b"));
    for (one, other) in [
        ("/a", "/a/"),
        ("/a", "GET /a"),
        ("HEAD /a", "GET /a"),
        ("/a/{x}", "/a/*"),
        ("/a", "/A"),
        ("/a/{x}", "/a/x"),
    ] {
        assert_ne!(pattern(one), pattern(other));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>(), near in "([A-Z]{0,3} )?[/{}*a%? ]{0,12}") {
        for text in [text, near] {
            if let Ok(pattern) = text.parse::<RoutePattern>() {
                prop_assert_eq!(pattern.to_string(), text);
            }
        }
    }
}
