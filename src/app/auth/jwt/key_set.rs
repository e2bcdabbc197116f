//! The keys that tokens may be signed with.

use std::collections::HashMap;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, Header};
use serde::Deserialize;
use serde_json::Value;

use super::key::{Key, KeyError};
use super::rules::JwtRules;

/// The keys that may verify a token.
#[derive(Debug)]
pub(super) enum KeySet {
    /// One key for all tokens, whichever key they name.
    Only(Box<Key>),
    /// Keys by the name that a token gives; keys of one name serve different algorithms.
    Named(HashMap<String, Vec<Key>>),
}

/// Where a JWK Set comes from, which decides whether it may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JwksSource {
    File,
    /// A set that anyone can fetch must not hold secrets.
    Url,
}

/// A JWK Set (RFC 7517). Its keys are parsed one by one, so that one of an unknown kind does not hide the
/// others.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// The keys of a JWK Set that can be used under `rules`.
    pub(super) fn parse(
        text: &[u8],
        source: JwksSource,
        rules: &JwtRules,
    ) -> Result<Self, KeyError> {
        let document: Document = serde_json::from_slice(text).map_err(|_| KeyError::NotASet)?;
        let read = document.keys.into_iter().filter_map(|value| {
            let jwk: Jwk = serde_json::from_value(value).ok()?;
            let key = Key::of_set(&jwk, source == JwksSource::File, rules)?;
            Some((jwk.common.key_id?, key))
        });
        let mut keys: HashMap<_, Vec<_>> = HashMap::new();
        read.for_each(|(name, key)| keys.entry(name).or_default().push(key));
        if keys.is_empty() { Err(KeyError::NoKeyOfSet) } else { Ok(Self::Named(keys)) }
    }

    /// The key for a token with this header. `None` if no key of that name serves its algorithm: keys that
    /// the token does not name are never tried.
    pub(super) fn find(&self, header: &Header) -> Option<&Key> {
        let may = |key: &&Key, algorithm: Algorithm| key.may_verify(algorithm);
        match self {
            Self::Only(key) => Some(&**key).filter(|key| may(key, header.alg)),
            Self::Named(keys) => {
                let named = keys.get(header.kid.as_deref()?)?;
                named.iter().find(|key| may(key, header.alg))
            }
        }
    }
}
