use std::fmt;

use super::routes::pattern::RoutePatternError;

/// Why policies and routes do not make a limiter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimiterError {
    /// No policy has this name.
    UnknownPolicy(String),
    /// Two policies have this name, or a list names it twice.
    DuplicatePolicy(String),
    /// The pattern of a route is not valid.
    Route(RoutePatternError),
    /// Two routes have this pattern.
    DuplicateRoute(String),
    /// No route has this pattern.
    UnknownRoute(String),
}

impl fmt::Display for LimiterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPolicy(name) => write!(f, "there is no policy {name:?}"),
            Self::DuplicatePolicy(name) => write!(f, "policy {name:?} is named twice"),
            Self::Route(error) => error.fmt(f),
            Self::DuplicateRoute(route) => write!(f, "route {route:?} is there twice"),
            Self::UnknownRoute(route) => write!(f, "there is no route {route:?}"),
        }
    }
}

impl std::error::Error for LimiterError {}
