use proptest::prelude::*;

use super::*;

/// Routes that cost as much as their place in the list, from 1, so that each is known by it.
fn routes(patterns: &[impl AsRef<str>]) -> Routes {
    let none = Policies([].into());
    let route = |(place, text): (usize, &_)| {
        let text: &str = AsRef::as_ref(text);
        let (pattern, cost) = (text.parse().expect(text), Cost::new(place as u64 + 1).unwrap());
        Route { pattern, policies: none.clone(), peek: none.clone(), cost }
    };
    Routes::new(patterns.iter().enumerate().map(route).collect())
}

/// The pattern of `patterns` that a request takes.
fn taken<'a>(patterns: &'a [&'a str], method: &str, path: &str) -> Option<&'a str> {
    let routes = routes(patterns);
    let route = routes.at(routes.find(method, path)?)?;
    let place = usize::try_from(route.cost.units()).unwrap() - 1;
    Some(patterns[place])
}

#[test]
fn of_the_routes_for_a_request_the_most_specific_holds() {
    // (routes, [(request, the route it takes)])
    type Case = (&'static [&'static str], &'static [(&'static str, Option<&'static str>)]);
    let cases: [Case; 10] = [
        (
            &["/a"],
            &[
                ("GET /a", Some("/a")),
                ("POST /a", Some("/a")),
                ("GET /b", None),
                // Other paths to the router, too.
                ("GET /a/", None),
                ("GET //a", None),
                ("GET /A", None),
                ("GET /a/b", None),
            ],
        ),
        // One segment, and not an empty one.
        (
            &["/a/{id}"],
            &[
                ("GET /a/7", Some("/a/{id}")),
                ("GET /a/%2F", Some("/a/{id}")),
                ("GET /a/..", Some("/a/{id}")),
                ("GET /a/", None),
                ("GET /a", None),
                ("GET /a/7/", None),
                ("GET /a/7/8", None),
            ],
        ),
        // All below it, and itself.
        (
            &["/a/*"],
            &[
                ("GET /a", Some("/a/*")),
                ("GET /a/", Some("/a/*")),
                ("GET /a//", Some("/a/*")),
                ("GET /a/b/c/d", Some("/a/*")),
                ("GET /ab", None),
                ("GET /", None),
            ],
        ),
        // What no other route is for, down to what is no path.
        (
            &["/*"],
            &[
                ("GET /", Some("/*")),
                ("GET //", Some("/*")),
                ("GET /a/b", Some("/*")),
                ("OPTIONS *", Some("/*")),
                ("CONNECT ", Some("/*")),
            ],
        ),
        // Text, then one segment, then the rest.
        (
            &["/*", "/{a}", "/a", "/a/*", "/a/{id}", "/a/b"],
            &[
                ("GET /a", Some("/a")),
                ("GET /z", Some("/{a}")),
                ("GET /", Some("/*")),
                ("GET /a/b", Some("/a/b")),
                ("GET /a/c", Some("/a/{id}")),
                ("GET /a/", Some("/a/*")),
                ("GET /a/b/", Some("/a/*")),
                ("GET /z/b", Some("/*")),
            ],
        ),
        // From the left: what comes first decides.
        (
            &["/a/*", "/{x}/b", "/{x}/b/c"],
            &[
                ("GET /a/b", Some("/a/*")),
                ("GET /a", Some("/a/*")),
                ("GET /z/b", Some("/{x}/b")),
                ("GET /z/b/c", Some("/{x}/b/c")),
            ],
        ),
        // A way that leads nowhere is left again.
        (
            &["/a/b/c", "/a/{x}/d", "/{y}/b/e", "/a/{x}/*"],
            &[
                ("GET /a/b/c", Some("/a/b/c")),
                ("GET /a/b/d", Some("/a/{x}/d")),
                ("GET /a/b/e", Some("/a/{x}/*")),
                ("GET /z/b/e", Some("/{y}/b/e")),
                ("GET /z/b/c", None),
            ],
        ),
        // A method beats any, for the same path only.
        (
            &["/a", "GET /a", "/b", "GET /*", "POST /b/*"],
            &[
                ("GET /a", Some("GET /a")),
                ("POST /a", Some("/a")),
                ("GET /b", Some("/b")),
                ("GET /c", Some("GET /*")),
                ("POST /c", None),
                ("POST /b", Some("/b")),
                ("POST /b/c", Some("POST /b/*")),
                ("GET /b/c", Some("GET /*")),
                // Methods have a case.
                ("get /a", Some("/a")),
            ],
        ),
        // A HEAD is a GET that is answered without a body, unless it is listed.
        (
            &["GET /a", "/b", "GET /b", "HEAD /b", "GET /c/*", "HEAD /c/d", "POST /e"],
            &[
                ("HEAD /a", Some("GET /a")),
                ("HEAD /b", Some("HEAD /b")),
                ("GET /b", Some("GET /b")),
                ("PUT /b", Some("/b")),
                ("HEAD /c/d", Some("HEAD /c/d")),
                ("GET /c/d", Some("GET /c/*")),
                ("HEAD /c/x", Some("GET /c/*")),
                ("HEAD /e", None),
                ("GET /e", None),
            ],
        ),
        (&["HEAD /a"], &[("HEAD /a", Some("HEAD /a")), ("GET /a", None)]),
    ];
    for (patterns, requests) in cases {
        let reversed: Vec<&str> = patterns.iter().rev().copied().collect();
        for (request, expected) in requests {
            let (method, path) = request.split_once(' ').unwrap();
            assert_eq!(taken(patterns, method, path), *expected, "{request} in {patterns:?}");
            assert_eq!(taken(&reversed, method, path), *expected, "{request} in {reversed:?}");
        }
    }
}

#[test]
fn a_path_of_a_hundred_thousand_segments_is_only_looked_at() {
    let routes = routes(&["/a/{b}/*", "/a/{b}/c/{d}"]);
    let path = "/a".repeat(100_000);
    let index = routes.find("GET", &path).unwrap();
    assert_eq!(routes.at(index).unwrap().cost.units(), 1);
    assert!(routes.find("GET", &"/".repeat(100_000)).is_none());
}

/// Whether `pattern` is for `path`, and how specific it is: obvious, and slow.
fn specificity(pattern: &RoutePattern, path: &str) -> Option<Vec<u8>> {
    let mut wanted = pattern.segments.iter();
    let mut rank = Vec::new();
    for segment in path.split('/').skip(1) {
        match wanted.next()? {
            Segment::Text(text) if **text == *segment => rank.push(2),
            Segment::Any if !segment.is_empty() => rank.push(1),
            Segment::Rest => return Some(rank),
            _ => return None,
        }
    }
    match wanted.next() {
        // The end itself is more specific than a rest that is nothing.
        None => Some([rank, vec![1]].concat()),
        Some(Segment::Rest) => Some(rank),
        Some(_) => None,
    }
}

proptest! {
    #[test]
    fn the_table_finds_what_a_look_at_every_pattern_finds(
        texts in prop::collection::btree_set("(/(a|b|\\{x\\})?){1,4}(/\\*)?", 1..12),
        path in "(/[abc]?){1,5}",
    ) {
        let texts: Vec<String> = texts.into_iter().collect();
        let routes = routes(&texts);
        let found = routes.find("GET", &path).and_then(|index| routes.at(index));
        let found = found.map(|route| route.cost.units());
        let ranks = texts.iter().zip(1..).filter_map(|(text, place)| {
            Some((specificity(&text.parse().unwrap(), &path)?, place))
        });
        prop_assert_eq!(found, ranks.max().map(|(_, place)| place));
    }
}
