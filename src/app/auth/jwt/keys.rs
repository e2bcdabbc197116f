//! Where the keys that verify tokens come from.

use super::url::JwksUrl;
use crate::app::auth::secret::Secret;

/// Where the keys that verify tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JwtKeys {
    /// One public key in PEM, or one secret.
    Only(Secret),
    /// A JWK Set.
    Set(Secret),
    /// A JWK Set that is fetched from a URL again and again.
    Remote(RemoteJwks),
}

/// A JWK Set that is fetched from a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteJwks {
    /// Its URL.
    pub(crate) url: JwksUrl,
    /// Milliseconds until it is fetched again.
    pub(crate) refresh_ms: u64,
    /// Milliseconds between two fetches, at least, however many tokens name unknown keys.
    pub(crate) cooldown_ms: u64,
    /// Milliseconds that a fetch may take.
    pub(crate) timeout_ms: u64,
}
