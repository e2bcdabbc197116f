//! The route that a request takes.

use std::borrow::Cow;

use crate::domain::key::unescaped;

/// A route's pattern, such as `GET /items/{id}`, and a path that matches it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matched<'a> {
    pub(crate) pattern: &'a str,
    pub(crate) path: &'a str,
}

impl<'a> Matched<'a> {
    /// What the path has in the place of `name`, percent-decoded. If the pattern has the name more than once, it is the
    /// first.
    pub(super) fn segment(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        let is_named = |segment: &str| {
            segment.strip_prefix('{').and_then(|it| it.strip_suffix('}')) == Some(name)
        };
        let pattern = &self.pattern[self.pattern.find('/')?..];
        let at = pattern.split('/').position(is_named)?;
        let segment = self.path.split('/').nth(at)?;
        Some(match segment.contains('%') {
            false => Cow::Borrowed(segment.as_bytes()),
            true => Cow::Owned(unescaped(segment)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_what_stands_in_the_place_of_its_name() {
        for (pattern, path, name, expected) in [
            ("/items/{id}", "/items/7", "id", Some("7")),
            ("GET /items/{id}", "/items/7", "id", Some("7")),
            ("/a/{x}/b/{y}", "/a/1/b/2", "y", Some("2")),
            ("/a/{x}/*", "/a/1/2/3", "x", Some("1")),
            ("/a/{x}/{x}", "/a/1/2", "x", Some("1")),
            ("/items/{id}", "/items/a%2Fb%62", "id", Some("a/bb")),
            ("/items/{id}", "/items/a%zz", "id", Some("a%zz")),
            ("/items/{id}", "/items/7", "name", None),
            ("/items/id", "/items/id", "id", None),
            ("/*", "/items/7", "id", None),
            ("/{id}", "*", "id", None),
        ] {
            let segment = Matched { pattern, path }.segment(name);
            assert_eq!(segment.as_deref(), expected.map(str::as_bytes), "{pattern} {path}");
        }
        let raw = Matched { pattern: "/{id}", path: "/%ff" }.segment("id");
        assert_eq!(raw.as_deref(), Some(&b"\xff"[..]));
    }
}
