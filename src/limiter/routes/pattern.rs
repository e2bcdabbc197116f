use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// Which requests a route matches: an optional method, and a path or a pattern of paths.
///
/// * `/api/data` matches that path.
/// * `/api/items/{id}` matches any path with one segment, which is not empty, in the place of `{id}`. The
///   name in braces has no meaning.
/// * `/api/*` matches every path below `/api/`, and `/api` itself.
/// * `GET /api/data` matches that method only. `HEAD` requests count as `GET`.
///
/// If several routes match a request, the most specific one is taken. Path segments are compared from the
/// left: text comes before `{id}`, which comes before `*`. Of routes with the same path, one with the
/// request's method comes first, for `HEAD` also one with `GET`, and then the one without a method.
///
/// ```
/// use tollgate::RoutePattern;
///
/// let pattern: RoutePattern = "GET /api/items/{id}".parse()?;
/// assert_eq!(pattern.to_string(), "GET /api/items/{id}");
/// assert!("api/items".parse::<RoutePattern>().is_err());
/// # Ok::<(), tollgate::RoutePatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RoutePattern {
    text: Box<str>,
    pub(crate) method: Option<Box<str>>,
    pub(crate) segments: Vec<Segment>,
}

/// What a pattern has between two slashes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Segment {
    Text(Box<str>),
    Any,
    /// All that follows, which may be nothing.
    Rest,
}

impl RoutePattern {
    /// Whether it matches one path only.
    pub(crate) fn is_exact(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Text(_)))
    }

    /// Whether it matches every request that `other` matches. `HEAD` requests count as `GET`.
    #[cfg(feature = "server")]
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let covers_method = match (self.method.as_deref(), other.method.as_deref()) {
            (None, _) | (Some("GET"), Some("HEAD")) => true,
            (one, other) => one == other,
        };
        covers_method && covers_path(&self.segments, &other.segments)
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The path as written, without the method.
    pub(crate) fn path(&self) -> &str {
        &self.text[self.text.find('/').unwrap_or(0)..]
    }
}

/// Whether a path that matches `others` always matches `segments`.
#[cfg(feature = "server")]
fn covers_path(segments: &[Segment], others: &[Segment]) -> bool {
    match (segments, others) {
        ([Segment::Rest], _) | ([], []) => true,
        ([Segment::Any, segments @ ..], [other, others @ ..]) => {
            let is_filled = match other {
                Segment::Text(text) => !text.is_empty(),
                Segment::Any => true,
                Segment::Rest => false,
            };
            is_filled && covers_path(segments, others)
        }
        ([Segment::Text(text), segments @ ..], [Segment::Text(other), others @ ..]) => {
            text == other && covers_path(segments, others)
        }
        _ => false,
    }
}

/// Patterns are equal if they match the same requests, whatever the names in braces.
impl PartialEq for RoutePattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.method, &self.segments) == (&other.method, &other.segments)
    }
}

impl Eq for RoutePattern {}

impl Hash for RoutePattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.method, &self.segments).hash(state);
    }
}

impl FromStr for RoutePattern {
    type Err = RoutePatternError;

    fn from_str(text: &str) -> Result<Self, RoutePatternError> {
        parse(text).map_err(|problem| RoutePatternError { input: text.to_owned(), problem })
    }
}

fn parse(text: &str) -> Result<RoutePattern, PatternProblem> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, text),
    };
    let is_method = |method: &str| {
        let is_plain = |byte: u8| byte.is_ascii_uppercase() || b"-_".contains(&byte);
        !method.is_empty() && method.bytes().all(is_plain)
    };
    let path = path.strip_prefix('/').ok_or(PatternProblem::NoPath)?;
    if method.is_some_and(|method| !is_method(method)) {
        return Err(PatternProblem::Method);
    }
    // It is compared with a decoded path without its query, so these characters would never match.
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || "?#%".contains(c)) {
        return Err(PatternProblem::Character);
    }
    let segments = path.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
    if segments.iter().rev().skip(1).any(|segment| *segment == Segment::Rest) {
        return Err(PatternProblem::Rest);
    }
    Ok(RoutePattern { text: text.into(), method: method.map(Into::into), segments })
}

fn segment(text: &str) -> Result<Segment, PatternProblem> {
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !name.is_empty() && name.bytes().all(is_plain)
    };
    if text == "*" {
        Ok(Segment::Rest)
    } else if text.contains('*') {
        Err(PatternProblem::Rest)
    } else if !text.contains(['{', '}']) {
        Ok(Segment::Text(text.into()))
    } else {
        text.strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .filter(|name| is_name(name))
            .map(|_| Segment::Any)
            .ok_or(PatternProblem::Braces)
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is not a [`RoutePattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePatternError {
    input: String,
    problem: PatternProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PatternProblem {
    NoPath,
    Method,
    Character,
    Braces,
    Rest,
}

impl fmt::Display for RoutePatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a route: ", self.input)?;
        f.write_str(match self.problem {
            PatternProblem::NoPath => "expected '/' first, or a method, one space and '/'",
            PatternProblem::Method => "a method is written in capital letters, with one space after it",
            PatternProblem::Character => "a path is written decoded, without '%', '?', '#' or spaces",
            PatternProblem::Braces => "braces must enclose a name of letters and digits, and nothing else stand between two slashes",
            PatternProblem::Rest => "'*' must be all that stands after the last slash",
        })?;
        f.write_str(", as in \"/api/data\", \"GET /api/items/{id}\" or \"/api/*\"")
    }
}

impl std::error::Error for RoutePatternError {}

#[cfg(test)]
mod tests;
