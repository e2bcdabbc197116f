//! API keys: made once, known afterwards only by their SHA-256.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::http::identity::User;

/// What every key begins with that is made here, so that people and scanners of secrets know one.
const PREFIX: &str = "tg_";

/// The users of API keys.
///
/// A key is found by its SHA-256: nothing that was sent is compared with a key. How long the look-up
/// takes could tell of digests at most, and a digest, even a whole one, leads back to no key of 256
/// random bits. The time to hash depends on the length of what was sent, which the sender knows.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct ApiKeys(HashMap<KeyDigest, User>);

impl ApiKeys {
    /// Adds the key with that digest; `false` where it is there already.
    pub(crate) fn insert(&mut self, digest: KeyDigest, user: User) -> bool {
        let is_new = !self.0.contains_key(&digest);
        if is_new {
            self.0.insert(digest, user);
        }
        is_new
    }

    /// Whose `key` is.
    #[must_use]
    pub(crate) fn user_of(&self, key: &[u8]) -> Option<&User> {
        self.0.get(&KeyDigest::of(key))
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

/// A text that is no SHA-256. It does not carry the text: that may be the key itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyDigestError;

impl fmt::Display for KeyDigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the SHA-256 of a key: expected 64 hexadecimal digits")
    }
}

impl std::error::Error for KeyDigestError {}

/// A key that was just made. It prints as its owner will send it, and that is the only time.
pub(crate) struct NewKey([u8; 32]);

impl NewKey {
    /// A key of 256 bits that nobody can guess.
    ///
    /// # Errors
    /// When the system has no random bits.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bits = [0; 32];
        getrandom::fill(&mut bits)?;
        Ok(Self(bits))
    }

    /// What of it is stored.
    pub(crate) fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.to_string().as_bytes())
    }
}

impl fmt::Display for NewKey {
    /// In hexadecimal digits: one word, which a double click selects whole.
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
