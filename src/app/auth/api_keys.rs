//! API keys. Only their SHA-256 is stored.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::http::identity::User;

/// Every new key begins with this, so that people and secret scanners recognize one.
const PREFIX: &str = "tg_";

/// The users of API keys.
///
/// A key is looked up by its SHA-256, and never compared with what a client sent. The time of a look-up
/// could reveal parts of a digest at most, and no digest leads back to a key of 256 random bits. The time to
/// hash depends only on the length of what was sent, which the sender knows.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ApiKeys(HashMap<KeyDigest, User>);

impl ApiKeys {
    /// Adds the key with this digest. Returns `false` if it is there already.
    pub(crate) fn insert(&mut self, digest: KeyDigest, user: User) -> bool {
        let is_new = !self.0.contains_key(&digest);
        if is_new {
            self.0.insert(digest, user);
        }
        is_new
    }

    /// The user of `key`.
    #[must_use]
    pub(crate) fn user_of(&self, key: &[u8]) -> Option<&User> {
        self.0.get(&KeyDigest::of(key))
    }

    /// The plan of the user `id` if all of the user's keys agree on one. It looks at every key.
    pub(crate) fn plan_of(&self, id: &[u8]) -> Option<&str> {
        let mut plans = self.0.values().filter(|user| user.id() == id).map(User::plan);
        let first = plans.next()??;
        plans.all(|plan| plan == Some(first)).then_some(first)
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({} keys)", self.0.len())
    }
}

/// The SHA-256 of an API key, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of `key`.
    #[must_use]
    pub(crate) fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl KeyDigest {
    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for KeyDigest {
    type Err = KeyDigestError;

    fn from_str(text: &str) -> Result<Self, KeyDigestError> {
        let mut digest = [0; 32];
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(KeyDigestError) };
        if pairs.len() != digest.len() {
            return Err(KeyDigestError);
        }
        for (byte, [high, low]) in digest.iter_mut().zip(pairs) {
            *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
        }
        Ok(Self(digest))
    }
}

fn hex_digit(digit: u8) -> Result<u8, KeyDigestError> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(KeyDigestError),
    }
}

impl fmt::Display for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// A text is no SHA-256. The error does not hold the text, which may be the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyDigestError;

impl fmt::Display for KeyDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the SHA-256 of a key: expected 64 hexadecimal digits")
    }
}

impl std::error::Error for KeyDigestError {}

/// A new key. It is displayed as its owner will send it.
pub(crate) struct NewKey([u8; 32]);

impl NewKey {
    /// Makes a key of 256 random bits.
    ///
    /// # Errors
    /// When the system has no random bits.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        Ok(Self(bits))
    }

    /// The digest to store.
    pub(crate) fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.to_string().as_bytes())
    }
}

impl fmt::Display for NewKey {
    /// Writes hexadecimal digits: a double click selects the whole key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        write_hex(f, &self.0)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
mod tests;
