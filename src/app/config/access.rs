//! Who is refused, or passes unchecked, before any policy is asked.

use crate::limiter::AccessEntry;

/// The lists that come before every policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccessOptions {
    /// Clients that pass unchecked.
    pub(crate) allow: Vec<AccessEntry>,
    /// Clients that are refused, even if `allow` lists them.
    pub(crate) block: Vec<AccessEntry>,
}

/// How requests of scripts of other origins are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CorsOptions {
    /// Whether CORS preflights pass uncounted.
    pub(crate) passes_preflights: bool,
}
