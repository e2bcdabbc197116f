//! Which body a client gets, by its `Accept` (RFC 9110, section 12.5.1).

use mediatype::names::{APPLICATION, JSON, PROBLEM, Q};
use mediatype::{MediaType, MediaTypeList, ReadParams as _};

/// What an own body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyFormat {
    Json,
    Html,
    Text,
}

impl BodyFormat {
    /// All of them. Where a client likes several alike, the first holds.
    pub(crate) const ALL: [Self; 3] = [Self::Json, Self::Html, Self::Text];

    /// The value of `Content-Type`.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            // It has no such parameter: JSON is UTF-8.
            Self::Json => "application/json",
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::Html => ("text", "html"),
            Self::Text => ("text", "plain"),
        }
    }
}

/// The media type of problem details for a client that sends these lines of `Accept`.
pub(crate) fn problem_type<'a>(accept: impl Iterator<Item = &'a [u8]>) -> &'static str {
    let names_it = |range: MediaType<'_>| is_problem(&range) && quality(&range) > 0.0;
    if ranges(accept).any(names_it) { "application/problem+json" } else { "application/json" }
}

/// The format, out of those that there `is`, that a client with these lines of `Accept` likes better than problem
/// details. `None` if it likes none better: a client that takes everything gets problem details.
pub(crate) fn own_format<'a>(
    accept: impl Iterator<Item = &'a [u8]>,
    is: impl Fn(BodyFormat) -> bool,
) -> Option<BodyFormat> {
    let has_json = is(BodyFormat::Json);
    // Problem details come first, so they hold where a wildcard takes everything alike.
    let mut liked = [None, Some(BodyFormat::Json), Some(BodyFormat::Html), Some(BodyFormat::Text)]
        .map(|format| (format, Liking::default()));
    for range in ranges(accept) {
        let quality = quality(&range);
        for (format, liking) in &mut liked {
            let exactness = match format {
                Some(format) => exactness(&range, format.names()),
                None if is_problem(&range) => Some(2),
                // Problem details are sent as this as well.
                None if !has_json => exactness(&range, BodyFormat::Json.names()),
                None => exactness(&range, ("application", "problem+json")),
            };
            liking.hear(exactness, quality);
        }
    }
    let mut best = (None, Liking::default());
    for (format, liking) in liked {
        if format.is_none_or(&is) && liking.is_more_than(best.1) {
            best = (format, liking);
        }
    }
    best.0
}

/// How much a client likes a type: what its most exact range says.
#[derive(Clone, Copy, Debug, Default)]
struct Liking {
    quality: f32,
    exactness: u8,
}

impl Liking {
    /// Takes in a range that matches with `exactness`, if it does.
    fn hear(&mut self, exactness: Option<u8>, quality: f32) {
        match exactness {
            Some(exactness) if exactness > self.exactness => *self = Self { quality, exactness },
            Some(exactness) if exactness == self.exactness => {
                self.quality = self.quality.max(quality);
            }
            _ => {}
        }
    }

    fn is_more_than(self, other: Self) -> bool {
        let order = self.quality.total_cmp(&other.quality);
        order.then(self.exactness.cmp(&other.exactness)).is_gt() && self.quality > 0.0
    }
}

fn ranges<'a>(accept: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = MediaType<'a>> {
    accept
        .filter_map(|line| std::str::from_utf8(line).ok().filter(|line| line.is_ascii()))
        .flat_map(|line| MediaTypeList::new(line).flatten())
}

/// Whether a range is exactly that of problem details.
fn is_problem(range: &MediaType<'_>) -> bool {
    range.essence() == MediaType::from_parts(APPLICATION, PROBLEM, Some(JSON), &[])
}

/// The weight of a range, from 0 to 1. One that cannot be read says no.
fn quality(range: &MediaType<'_>) -> f32 {
    let Some(quality) = range.get_param(Q) else { return 1.0 };
    let quality = quality.as_str().parse().ok();
    quality.filter(|it| (0.0..=1.0).contains(it)).unwrap_or(0.0)
}

/// How exactly `range` names the type: 0 for `*/*`, 1 for all subtypes, 2 for itself. `None` if it does not.
fn exactness(range: &MediaType<'_>, (kind, subtype): (&str, &str)) -> Option<u8> {
    let is = |name: &str, expected: &str| name.eq_ignore_ascii_case(expected);
    match (range.ty.as_str(), range.subty.as_str()) {
        ("*", "*") => Some(0),
        (it, "*") if is(it, kind) => Some(1),
        (it, of) if is(it, kind) && is(of, subtype) && range.suffix.is_none() => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
