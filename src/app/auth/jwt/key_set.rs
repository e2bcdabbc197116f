//! The keys that tokens may be signed with.

use std::collections::HashMap;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, Header};
use serde::Deserialize;
use serde_json::Value;

use super::JwtRules;
use super::key::{Key, KeyError};

/// Keys to choose from.
#[derive(Debug)]
pub(super) enum KeySet {
    /// One for every token, whatever it says of its key.
    Only(Box<Key>),
    /// The one that the token names; there may be several of a name, for one algorithm each.
    Named(HashMap<String, Vec<Key>>),
}

/// Where a JWK Set comes from, which decides whether it may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    File,
    /// What everyone can fetch is no secret.
    Url,
}

/// A JWK Set (RFC 7517), each key as it is: one that nobody understands must not hide the others.
#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// The keys of a JWK Set that are of use under `rules`.
    pub(super) fn parse(text: &[u8], place: Place, rules: &JwtRules) -> Result<Self, KeyError> {
        let document: Document = serde_json::from_slice(text).map_err(|_| KeyError::NotASet)?;
        let read = document.keys.into_iter().filter_map(|value| {
            let jwk: Jwk = serde_json::from_value(value).ok()?;
            let key = Key::of_set(&jwk, place == Place::File, rules)?;
            Some((jwk.common.key_id?, key))
        });
        let mut keys: HashMap<_, Vec<_>> = HashMap::new();
        read.for_each(|(name, key)| keys.entry(name).or_default().push(key));
        if keys.is_empty() { Err(KeyError::NoKeyOfSet) } else { Ok(Self::Named(keys)) }
    }

    /// The key of a token with this header. None where the set has none of that name for that
    /// algorithm; nothing is tried that was not named.
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
